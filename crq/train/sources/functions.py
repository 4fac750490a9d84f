"""Data that a function of the user's makes: `module:function`, importable from the current folder."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch.utils.data import DataLoader

from crq.errors import CrqError
from crq.importing import find
from crq.train.sources.raw import Parts, Raw, check_scale, numbers

EXPECTED = (
    "a torch Dataset of (sample, label) pairs, (train, test), (train, val, test) or a dict of train, test and val"
)
_ORDERS = {2: ("train", "test"), 3: ("train", "val", "test")}


def parts(name: str, options: Mapping[str, Any]) -> Parts:
    """The splits that the function gives when it is called with `options`; a single dataset is divided."""
    given = _called(name, options)
    if isinstance(given, Mapping):
        found = dict(given)
    elif isinstance(given, tuple) and len(given) in _ORDERS:
        found = dict(zip(_ORDERS[len(given)], given, strict=True))
    else:
        found = {"all": given}
    wrong = [split for split, data in found.items() if split not in ("train", "test", "val", "all")
             or not hasattr(data, "__getitem__") or not hasattr(data, "__len__")]  # fmt: skip
    if wrong or not ({"train", "test"} <= set(found) or set(found) == {"all"}):
        shown = ", ".join(f"{split}: {type(data).__name__}" for split, data in found.items())
        raise CrqError(f"{name} gave {shown}; expected {EXPECTED}")
    return {split: partial(read, data, f"{name}, {split}") for split, data in found.items()}


def _called(name: str, options: Mapping[str, Any]) -> Any:
    function = find(name)
    try:
        inspect.signature(function).bind(**options)
    except TypeError as error:
        raise CrqError(f"{name}: {error}; its arguments are data.options in the recipe") from error
    except ValueError:
        pass  # what is written in C need not say its arguments
    with _named(name):
        return function(**options)


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Names `what` of the user's raised an exception inside."""
    try:
        yield
    except CrqError:
        raise
    except Exception as error:
        raise CrqError(
            f"{what} raised {type(error).__name__}: {error}; mend it, or call it alone to see where"
        ) from error


def sized(dataset: Any, where: str) -> int:
    """The length of a map-style dataset; raises `CrqError` for what is none, or empty."""
    if isinstance(dataset, DataLoader):
        raise CrqError(
            f"{where} is a DataLoader; expected the dataset of it: give loader.dataset, batches are made here"
        )
    arrays = isinstance(dataset[0] if isinstance(dataset, tuple) and dataset else dataset, torch.Tensor | np.ndarray)
    if arrays or not hasattr(dataset, "__getitem__") or not hasattr(dataset, "__len__"):
        raise CrqError(
            f"{where} is of type {type(dataset).__name__}; expected a torch Dataset of (sample, label) "
            "pairs with a length: torch.utils.data.TensorDataset(x, y) makes one of tensors"
        )
    if not len(dataset):
        raise CrqError(f"{where}: the dataset is empty")
    return len(dataset)


def pair(dataset: Any, index: int, where: str) -> tuple[Any, Any]:
    """Sample and label at `index`."""
    with _named(f"{where}: reading row {index}"):
        found = dataset[index]
    if not isinstance(found, tuple | list) or len(found) != 2:
        held = f" of {len(found)}" if isinstance(found, tuple | list) else ""
        held = f" of {', '.join(map(str, found))}" if isinstance(found, Mapping) else held
        raise CrqError(
            f"{where}, row {index}: {type(found).__name__}{held}; expected a pair (sample, label): give a tuple of both"
        )
    return found[0], found[1]


def array(part: Any, where: str) -> NDArray[Any]:
    """A sample or label as an array; a picture's channels come first."""
    with _named(f"{where}: making arrays of its pair"):
        if isinstance(part, Image):
            picture = np.asarray(part)
            return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
        if isinstance(part, torch.Tensor):
            part = part.detach().cpu()
            part = part.float() if part.dtype == torch.bfloat16 else part  # which NumPy lacks
        return np.asarray(part)


def rows(dataset: Any, where: str) -> Iterator[tuple[NDArray[Any], Any]]:
    """Every pair of a map-style dataset, read once: the samples as arrays of one shape, all of bytes or none."""
    first: NDArray[Any] | None = None
    for index in range(sized(dataset, where)):
        sample, label = pair(dataset, index, where)
        found = array(sample, f"{where}, row {index}")
        first = found if first is None else first
        if found.shape != first.shape:
            raise CrqError(
                f"{where}, row {index}: a sample of shape {found.shape}, row 0 has {first.shape}: bring all to one size"
            )
        check_scale(f"{where}, row {index},", found, "row 0", first)
        yield found, label


def read(dataset: Any, where: str) -> Raw:
    """The pairs of `rows`, labels of any kind."""
    samples: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    for index, (sample, label) in enumerate(rows(dataset, where)):
        samples.append(sample)
        labels.append(array(label, f"{where}, row {index}"))
        if labels[-1].shape != labels[0].shape:
            raise CrqError(
                f"{where}, row {index}: a label of shape {labels[-1].shape}, row 0 has {labels[0].shape}: bring all to "
                "one size"
            )
    classes = getattr(dataset, "classes", None)
    whole = np.stack(labels)
    integers = whole.dtype.kind in "iu" and whole.ndim == 1
    names = tuple(map(str, classes)) if classes and integers else None
    return Raw(numbers(np.stack(samples), where), whole, where, classes=names)

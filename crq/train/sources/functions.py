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

from crq.errors import CrqError
from crq.importing import find
from crq.train.sources.raw import Parts, Raw, numbers

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


def read(dataset: Any, where: str) -> Raw:
    """Every pair of a map-style dataset, read once."""
    if not len(dataset):
        raise CrqError(f"{where}: the dataset is empty")
    samples: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    for index in range(len(dataset)):
        with _named(f"{where}: reading row {index}"):
            pair = dataset[index]
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise CrqError(f"{where}, row {index}: {type(pair).__name__}; expected a pair (sample, label)")
        with _named(f"{where}, row {index}: making arrays of its pair"):
            sample, label = (_array(part) for part in pair)
        if samples and (sample.shape, label.shape) != (samples[0].shape, labels[0].shape):
            raise CrqError(
                f"{where}, row {index}: a sample of shape {sample.shape} with a label of shape {label.shape}; row 0 "
                f"has {samples[0].shape} and {labels[0].shape}: bring all to one size"
            )
        samples.append(sample)
        labels.append(label)
    classes = getattr(dataset, "classes", None)
    whole = np.stack(labels)
    integers = whole.dtype.kind in "iu" and whole.ndim == 1
    names = tuple(map(str, classes)) if classes and integers else None
    return Raw(numbers(np.stack(samples), where), whole, where, classes=names)


def _array(part: Any) -> NDArray[Any]:
    """A sample or label as an array; a picture's channels come first."""
    if isinstance(part, Image):
        picture = np.asarray(part)
        return picture[None] if picture.ndim == 2 else picture.transpose(2, 0, 1)
    return np.asarray(part.detach().cpu() if isinstance(part, torch.Tensor) else part)

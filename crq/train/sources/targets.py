"""Labels as what a loss compares: numbers of classes, real numbers, or zeros and ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from crq.errors import CrqError, few
from crq.train.sources.raw import Raw

Kind = Literal["classes", "numbers", "bits", "marks"]
"""What labels are read as. Marks: classes where they tell some apart, otherwise nothing."""
MOST_CLASSES = 10_000
"""More different labels than this are taken for a mistake (an identifier, a measured value)."""
_OTHER_LOSSES = 'to train on numbers, set loss = "mse" in the recipe; on several labels at once, loss = "bce"'


def class_names(raw: Raw) -> tuple[str, ...]:
    """The classes that the labels of `raw` tell apart, in order: words by alphabet, numbers by size; none without
    labels.
    """
    if raw.classes is not None:
        return raw.classes
    if raw.labels is None:
        return ()
    found = _flat(raw)
    if found.ndim == 2:
        return raw.outputs or tuple(map(str, range(found.shape[1])))
    names = np.unique(found.astype(str) if found.dtype.kind == "O" else found)
    if len(names) > MOST_CLASSES:
        raise CrqError(
            f"{raw.where}: {len(names):,} different labels; expected at most {MOST_CLASSES:,} classes. Name the column "
            f"of the label, or {_OTHER_LOSSES}"
        )
    return tuple(_name(value) for value in names)


def tells_classes(raw: Raw) -> bool:
    """Whether `raw` has labels that are classes, as those of some samples that no loss compares need not be."""
    try:
        return bool(class_names(raw))
    except CrqError:
        return False


def as_classes(raw: Raw, classes: Sequence[str]) -> Tensor:
    """int64 [N]: the place of each label among `classes`, zeros without labels.

    Raises `CrqError` naming the row of a label that is no class.
    """
    if raw.labels is None:
        return torch.zeros(len(raw.values), dtype=torch.int64)
    found = _flat(raw)
    if found.ndim == 2:
        if (columns := class_names(raw)) != tuple(classes):
            raise CrqError(
                f"{raw.where}: one-hot labels with the columns {few(columns)}; expected the classes of the training "
                f"split, {few(classes)}: write the labels of both in one way"
            )
        return torch.from_numpy(found.argmax(1).astype(np.int64))
    if raw.classes is not None:
        if len(outside := np.flatnonzero((found < 0) | (found >= len(raw.classes)))):
            raise CrqError(
                f"{raw.row(int(outside[0]))}: its label is {found[outside[0]]}; expected the number of a class, 0 to "
                f"{len(raw.classes) - 1}"
            )
        return torch.from_numpy(found.astype(np.int64))
    places = {name: index for index, name in enumerate(classes)}
    names = [_name(value) for value in found]
    wrong = next((index for index, name in enumerate(names) if name not in places), None)
    if wrong is not None:
        raise CrqError(
            f"{raw.row(wrong)}: its label {names[wrong]!r} is no class of the training split, which has "
            f"{few(classes)}: add training samples of it, or leave it out"
        )
    return torch.tensor([places[name] for name in names], dtype=torch.int64)


def as_numbers(raw: Raw, kind: Kind) -> Tensor:
    """float32 [N, K]; of kind `bits` zeros and ones."""
    if raw.labels is None:
        raise CrqError(f"{raw.where} has no labels; this loss compares with numbers: save them, [N] or [N, K]")
    found = raw.labels
    if found.dtype.kind not in "iufb" or found.ndim > 2:
        shown = f"words such as {str(found.flat[0])!r}" if found.ndim < 3 else f"an array of shape {found.shape}"
        raise CrqError(
            f"{raw.where}: its labels are {shown}; this loss compares with numbers [N] or [N, K]: write them as such, "
            'or set loss = "cross_entropy" for classes'
        )
    table = found.reshape(len(found), -1).astype(np.float32)
    right = np.isin(table, (0, 1)) if kind == "bits" else np.isfinite(table)
    if not right.all():
        row, column = np.argwhere(~right)[0]
        wanted = "0 or 1 (multi-label)" if kind == "bits" else "a finite number"
        raise CrqError(f"{raw.row(int(row))}: label {column} is {table[row, column]:g}; expected {wanted}")
    return torch.from_numpy(table)


def output_names(raw: Raw) -> tuple[str, ...]:
    """Names of the columns of `as_numbers`."""
    assert raw.labels is not None
    count = raw.labels.reshape(len(raw.labels), -1).shape[1]
    return raw.outputs or raw.classes or tuple(map(str, range(count)))


def _flat(raw: Raw) -> NDArray[Any]:
    """Labels [N], whole numbers or words; or [N, K] as they are where each row has a single one among zeros."""
    found = raw.labels
    assert found is not None
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim == 1:
        wrong = ~_tells_a_class(found)
        if wrong.any():
            row = int(wrong.argmax())
            raise CrqError(
                f"{raw.row(row)}: its label is {found[row]}; expected a class, a whole number or a word: "
                f"{_OTHER_LOSSES}"
            )
    one_hot = found.ndim == 2 and found.dtype.kind in "iufb" and bool(np.isin(found, (0, 1)).all())
    if found.ndim != 1 and not (one_hot and bool((found.sum(1) == 1).all())):
        raise CrqError(
            f"{raw.where}: labels of shape {found.shape}; expected a class a sample, [N] or one-hot: {_OTHER_LOSSES}; "
            "for a class per pixel train in a loop of your own, on torch's TensorDataset; crq simulate takes a file "
            "without labels"
        )
    return found


def _tells_a_class(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Which labels [N] are whole numbers or words."""
    if labels.dtype.kind == "f":
        return np.isfinite(labels) & (labels == np.rint(labels))
    if labels.dtype.kind == "O":
        return np.array([isinstance(label, str | bytes) for label in labels])
    return np.full(len(labels), labels.dtype.kind in "iubUS")


def _name(value: Any) -> str:
    """A label as the name of a class: 3.0 is 3."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(int(value)) if not isinstance(value, str) and value == int(value) else str(value)

"""Samples as a file has them, before labels become numbers of classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.errors import CrqError


@dataclass(frozen=True)
class Raw:
    """values: uint8, or float32 and finite, [N, …]; labels: [N] of numbers or words, [N, K] of numbers, or None.

    where: the file or folder, for messages. first_row: what messages call sample 0. classes: their names, where the
    source says them; labels are then numbers of classes. outputs: names of the K columns of labels.
    """

    values: NDArray[Any]
    labels: NDArray[Any] | None
    where: str
    first_row: int = 0
    classes: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim < 2 or not len(self.values):
            raise CrqError(
                f"{self.where}: samples of shape {self.values.shape}; expected [N, …], N > 0: reshape them first"
            )
        if self.labels is not None and self.labels.shape[:1] != self.values.shape[:1]:
            held = f"{len(self.labels)} labels" if self.labels.ndim else "a single number as label"
            raise CrqError(f"{self.where}: {len(self.values)} samples and {held}; expected one label a sample")

    def row(self, index: int) -> str:
        """How messages name the sample at `index`."""
        return f"{self.where}, row {index + self.first_row}"


Parts = Mapping[str, Callable[[], Raw]]
"""What reads each split: train, test and perhaps val; or only `all`, which is then divided."""


def numbers(values: NDArray[Any], where: str, columns: Sequence[str] | None = None, first_row: int = 0) -> NDArray[Any]:
    """`values` [N, …] as uint8 if they are, else as float32; raises `CrqError` naming where there is no number."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "iufb":
        raise CrqError(f"{where}: samples of type {values.dtype}; expected integers or real numbers: convert them")
    with np.errstate(over="ignore"):
        found = values.astype(np.float32)
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        place = f"column {columns[at[1]]!r}" if columns and len(at) == 2 else f"place {at[1:]}"
        raise CrqError(
            f"{where}, row {at[0] + first_row}, {place}: {values[at]} is no finite float32 number; mend or leave out "
            "that sample"
        )
    return found


def check_scale(where: str, values: NDArray[Any], other_where: str, other: NDArray[Any]) -> None:
    """Raise `CrqError` where one holds bytes, which alone are divided by 256, and the other does not."""
    if (values.dtype == np.uint8) != (other.dtype == np.uint8):
        raise CrqError(
            f"{where} has samples of {values.dtype}, and {other_where} of {other.dtype}: bytes are divided by 256 and "
            "other numbers are not; give all in one type"
        )


def existing(path: Path) -> Path:
    """`path`; raises `CrqError` where there is no such file."""
    if not path.is_file():
        where = "" if path.is_absolute() else f" in {Path.cwd()}, which relative paths begin at"
        raise CrqError(f"{path}: no such file{where}")
    return path

"""A data set of real values in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.utils.data import Dataset

from crq.errors import CrqError


@dataclass(frozen=True)
class ValueData(Dataset[tuple[Tensor, Tensor]]):
    """values: float32 [N, …], finite. labels: int64 [N], places in `classes`, zeros where there are none; or float32
    [N, K], columns that `classes` names.

    Indexing gives (values, label).
    """

    values: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str

    def __post_init__(self) -> None:
        if self.values.dtype != torch.float32 or self.values.dim() < 2 or len(self.values) != len(self.labels):
            raise CrqError(
                f"{self.name}: values must be float32 [N, …] with N labels, not {self.values.dtype} "
                f"{tuple(self.values.shape)} with {len(self.labels)}"
            )
        if not bool(torch.isfinite(self.values).all()):
            raise CrqError(f"{self.name}: holds values that are not finite (NaN or infinity): mend the data")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.values[index], self.labels[index]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.values.shape[1:])

    def take(self, indices: Tensor) -> Tensor:
        """float32 samples at `indices` (int64)."""
        return self.values[indices]

    def subset(self, indices: Tensor) -> Self:
        """The samples at `indices` (int64), in that order."""
        return replace(self, values=self.values[indices], labels=self.labels[indices])


def real_values(values: Tensor) -> Tensor:
    """float32 of bytes, a 256th of each, or of float32 numbers as they are."""
    return values.float() / 256 if values.dtype == torch.uint8 else values

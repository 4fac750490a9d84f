"""What the integers of an output are worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.ends import OutputFacts
from crq.hw.ir.head import finished
from crq.hw.ir.layers import IntArray, Tensor

EXACT_FLOAT32 = 1 << 24
"""Integers up to this are exact in float32."""


@dataclass(frozen=True, eq=False)
class Scores:
    """real output = integer × `scale` + `offset`, for the integers of `tensor`.

    `shape`: of one result as the file gives it, (C,), (C, L) or (C, H, W).
    """

    tensor: Tensor
    facts: OutputFacts
    shape: tuple[int, ...]

    @cached_property
    def scale(self) -> NDArray[np.float32]:
        """float32, shape () or (C,)."""
        return np.asarray(self.facts.scale, np.float32)

    @cached_property
    def offset(self) -> NDArray[np.float32]:
        """float32, shape () or (C,): 0 unless a foreign file's last bias is no whole number of units."""
        return np.asarray(self.facts.offset, np.float32)

    @property
    def kind(self) -> type[np.floating[Any]]:
        """float32, or float64 where that would round integers."""
        wide = max(abs(int(self.tensor.lo.min())), int(self.tensor.hi.max())) > EXACT_FLOAT32
        return np.float64 if wide else np.float32

    def logits(self, integers: IntArray) -> NDArray[np.floating[Any]]:
        """Outputs, of `kind`, of integers (N, C) or (N, C, H, W), in the same shape."""
        per_channel = (-1, *[1] * (integers.ndim - 2))
        scale, offset = (v.reshape(per_channel) if v.ndim else v for v in (self.scale, self.offset))
        result: NDArray[np.floating[Any]] = integers.astype(self.kind) * scale.astype(self.kind)
        return result + offset if offset.any() else result

    def results(self, integers: IntArray) -> list[Any]:
        """What the file gives for integers (N, C) or (N, C, H, W), in the file's own rank, and what the host makes of
        them (crq.hw.ir.head): of each of its outputs that leave together."""
        x = self.logits(integers).reshape(len(integers), *self.shape)
        if len(self.facts.names) < 2:
            return [finished(self.facts.head, x)]
        return list(np.split(x, np.cumsum([c for _, c in self.facts.names])[:-1], axis=1))

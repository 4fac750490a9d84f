"""A choice of pixels; and a row as a signal."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Pixels(nn.Module):
    """(N, C, H, W) or (N, C, L) with the pixels of one slice (start, stop, step) per spatial axis."""

    def __init__(self, slices: Sequence[tuple[int, int, int]]) -> None:
        super().__init__()
        self.slices = list(slices)

    def forward(self, x: Tensor) -> Tensor:
        return x[(slice(None), slice(None), *(slice(*s) for s in self.slices))]

    def extra_repr(self) -> str:
        return ", ".join(":".join(map(str, s)) for s in self.slices)


class Row(nn.Module):
    """(N, C, 1, L) → (N, C, L), or with `to_signal` False the reverse."""

    def __init__(self, to_signal: bool) -> None:
        super().__init__()
        self.to_signal = to_signal

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(2) if self.to_signal else x.unsqueeze(2)

    def extra_repr(self) -> str:
        return f"to_signal={self.to_signal}"

"""Features moved to the last axis, or back."""

from __future__ import annotations

from torch import Tensor, nn


class Transposed(nn.Module):
    """(N, C, …) → (N, …, C), or with `to_first` (N, …, C) → (N, C, …); rank: 3 or 4, the batch counted."""

    def __init__(self, rank: int, to_first: bool) -> None:
        super().__init__()
        self.rank, self.to_first = rank, to_first

    @property
    def axes(self) -> tuple[int, ...]:
        """The axis of the input that each of the result's is."""
        return (0, self.rank - 1, *range(1, self.rank - 1)) if self.to_first else (0, *range(2, self.rank), 1)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)

    def extra_repr(self) -> str:
        return f"axes={self.axes}"

"""A choice of channels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Channels(nn.Module):
    """(N, C, …) → (N, K, …): the channels numbered in `index`, in that order."""

    def __init__(self, index: Sequence[int]) -> None:
        super().__init__()
        self.index = list(index)

    def forward(self, x: Tensor) -> Tensor:
        first, last = self.index[0], self.index[-1] + 1
        if self.index == list(range(first, last)):  # a view, where one will do
            return x[:, first:last]
        return x[:, self.index]

    def extra_repr(self) -> str:
        return f"{len(self.index)} channels"

"""A choice of channels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class Channels(nn.Module):
    """(N, C, …) → (N, K, …): the channels numbered in `index`, in that order; −1 is a channel of zeros."""

    def __init__(self, index: Sequence[int]) -> None:
        super().__init__()
        self.index = list(index)

    def forward(self, x: Tensor) -> Tensor:
        return chosen(x, self.index)

    def extra_repr(self) -> str:
        return f"{len(self.index)} channels"


def chosen(x: Tensor, index: Sequence[int]) -> Tensor:
    """The channels of `x` numbered in `index`, zeros for −1."""
    if -1 not in index and list(index) == list(range(index[0], index[-1] + 1)):  # a view, where one will do
        return x[:, index[0] : index[-1] + 1]
    if -1 in index:  # the last channel then is one of zeros
        x = nn.functional.pad(x, [0, 0] * (x.ndim - 2) + [0, 1])
    return x[:, list(index)]

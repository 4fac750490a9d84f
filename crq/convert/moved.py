"""The operations of a frozen network that only move integers, and put zeros beside them."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from crq.convert.channels import chosen
from crq.convert.step import Step


class Channels(Step):
    """The channels numbered in `index`, in that order; −1 is a channel of zeros."""

    def __init__(self, index: Sequence[int]) -> None:
        super().__init__(index=list(index))
        self.index = list(index)

    def forward(self, x: Tensor) -> Tensor:
        return chosen(x, self.index)


class Slice(Step):
    """Pixels from `starts` to `stops`, every `steps`-th, along each spatial axis."""

    def __init__(self, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int]) -> None:
        super().__init__(starts=list(starts), stops=list(stops), steps=list(steps))
        self.slices = [slice(*ends) for ends in zip(starts, stops, steps, strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        return x[(slice(None), slice(None), *self.slices)]


class Pad(Step):
    """Pixels of zeros around the image: (before, after) per spatial axis, outermost first."""

    def __init__(self, ends: Sequence[Sequence[int]]) -> None:
        super().__init__(ends=[list(e) for e in ends])
        self.ends = [list(e) for e in ends]

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, [n for end in reversed(self.ends) for n in end])


class Enlarge(Step):
    """Every pixel `factors` times along each spatial axis."""

    def __init__(self, factors: Sequence[int]) -> None:
        super().__init__(factors=list(factors))
        self.factors = list(factors)

    def forward(self, x: Tensor) -> Tensor:
        for axis, factor in enumerate(self.factors):
            x = x.repeat_interleave(factor, dim=2 + axis)
        return x


class Shuffle(Step):
    """nn.PixelShuffle: (N, C·b², H, W) → (N, C, H·b, W·b)."""

    def __init__(self, block: int) -> None:
        super().__init__(block=block)
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(x, self.block)


class Unshuffle(Step):
    """nn.PixelUnshuffle: (N, C, H·b, W·b) → (N, C·b², H, W), with C `channels`."""

    def __init__(self, block: int, channels: int) -> None:
        super().__init__(block=block, channels=channels)
        self.block, self.channels = block, channels

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_unshuffle(x, self.block)


class Row(Step):
    """(N, C, 1, L) → (N, C, L), or the reverse."""

    def __init__(self, to_signal: bool) -> None:
        super().__init__(to_signal=to_signal)
        self.to_signal = to_signal

    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(2) if self.to_signal else x.unsqueeze(2)


class Transpose(Step):
    """Axes in another order: `axes` says which of the input's each is, the batch's first."""

    def __init__(self, axes: Sequence[int]) -> None:
        super().__init__(axes=list(axes))
        self.axes = list(axes)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)


class Flatten(Step):
    """(N, C, H, W) → (N, C·H·W)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)

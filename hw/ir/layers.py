"""The layers of the integer graph (docs/integer-graph.md) as typed facts: shapes, constants, exact integer ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.progression import IntArray, Progression


class Shape(NamedTuple):
    """Channels, height, width. A vector is (C, 1, 1); a 1-D signal is (C, 1, L)."""

    c: int
    h: int
    w: int

    @property
    def size(self) -> int:
        return self.c * self.h * self.w

    @property
    def pixels(self) -> int:
        return self.h * self.w


class Pads(NamedTuple):
    top: int
    left: int
    bottom: int
    right: int


class Format(NamedTuple):
    """A two's complement or unsigned integer format."""

    bits: int
    signed: bool

    @property
    def qonnx(self) -> str:
        return f"{'INT' if self.signed else 'UINT'}{self.bits}"


def smallest_format(lo: int, hi: int) -> Format:
    """The narrowest integer format that holds every value of [lo, hi]; at least one bit."""
    if lo >= 0:
        return Format(max(1, int(hi).bit_length()), False)
    return Format(max(int(hi).bit_length() if hi > 0 else 0, int(-lo - 1).bit_length()) + 1, True)


@dataclass(frozen=True, eq=False)
class Tensor:
    """An activation: its name, shape and, per channel, the interval of values it can take (inclusive)."""

    name: str
    shape: Shape
    lo: IntArray
    hi: IntArray

    @property
    def format(self) -> Format:
        return smallest_format(int(self.lo.min()), int(self.hi.max()))


@dataclass(frozen=True, eq=False)
class Layer:
    """One node of the integer graph."""

    name: str
    inputs: tuple[Tensor, ...]
    output: Tensor

    @property
    def input(self) -> Tensor:
        return self.inputs[0]

    @property
    def kind(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, eq=False)
class Mac(Layer):
    """An exact sum of products with constant codes: `weights` is int8, (O, I/groups, KH, KW)."""

    weights: NDArray[np.int8]
    weight_type: str  # qonnx DataType name: TERNARY, BIPOLAR, INT2 … INT8
    groups: int

    @property
    def multiplier_free(self) -> bool:
        return self.weight_type in ("TERNARY", "BIPOLAR")

    @property
    def fan_in(self) -> int:
        """Products per output value."""
        return int(np.prod(self.weights.shape[1:]))

    @property
    def macs(self) -> int:
        """Products per image."""
        return self.fan_in * self.output.shape.size

    @property
    def nonzeros(self) -> int:
        return int(np.count_nonzero(self.weights))


@dataclass(frozen=True, eq=False)
class Conv(Mac):
    stride: tuple[int, int]
    pads: Pads
    dilation: tuple[int, int]

    @property
    def kernel(self) -> tuple[int, int]:
        return int(self.weights.shape[2]), int(self.weights.shape[3])

    @property
    def is_sum_pool(self) -> bool:
        return (
            self.groups == self.input.shape.c
            and self.weights.shape[:2] == (self.groups, 1)
            and bool((self.weights == 1).all())
        )


@dataclass(frozen=True, eq=False)
class Dense(Mac):
    """`weights` is (O, I, 1, 1); I follows the order in which the input streams: (H, W, C) if it was flattened."""


@dataclass(frozen=True, eq=False)
class Threshold(Layer):
    """code = qmin + #{k : x >= thresholds[c, k]}; `thresholds` is int64, (C, K), ascending, or a progression."""

    thresholds: IntArray | Progression
    qmin: int
    code_type: str  # qonnx DataType name of the codes

    @property
    def levels(self) -> int:
        """Thresholds per channel."""
        return self.thresholds.count if isinstance(self.thresholds, Progression) else int(self.thresholds.shape[1])

    def row(self, channel: int) -> IntArray:
        """The thresholds of a channel, ascending."""
        if isinstance(self.thresholds, Progression):
            return self.thresholds.row(channel, int(self.input.lo[channel]), int(self.input.hi[channel]))
        return self.thresholds[channel]


@dataclass(frozen=True, eq=False)
class Negate(Layer):
    signs: IntArray  # (C,), each -1 or +1


@dataclass(frozen=True, eq=False)
class Shift(Layer):
    bits: int  # left shift


@dataclass(frozen=True, eq=False)
class Add(Layer):
    """Sum of two tensors of one shape."""


@dataclass(frozen=True, eq=False)
class Bias(Layer):
    values: IntArray  # (C,)


@dataclass(frozen=True, eq=False)
class MaxPool(Layer):
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: Pads


@dataclass(frozen=True, eq=False)
class GlobalSum(Layer):
    """Sum over all pixels of each channel; the output is (C, 1, 1)."""


@dataclass(frozen=True, eq=False)
class Concat(Layer):
    """Channels of the inputs, one after the other."""


@dataclass(frozen=True, eq=False)
class Enlarge(Layer):
    """Each pixel becomes a block of `factor` (rows, columns) pixels. With `parts` 1 all are the same; else `parts` is
    their number, and each takes another one of that many neighbouring channels: PixelShuffle's order, row by row."""

    factor: tuple[int, int]
    parts: int


@dataclass(frozen=True, eq=False)
class ArgMax(Layer):
    """The channel of each pixel's greatest value, of equal ones the first; the output is (1, H, W)."""


@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """(C, H, W) to (C·H·W, 1, 1), in streaming order (H, W, C): no hardware."""


KINDS: tuple[type[Layer], ...] = (
    Conv, Dense, Threshold, MaxPool, GlobalSum, Add, Bias, Negate, Shift, Concat, Enlarge, ArgMax, Flatten,
)  # fmt: skip
"""Every kind of layer: each stage's table has a rule for each of them (tests/hw/ir/test_layers.py)."""

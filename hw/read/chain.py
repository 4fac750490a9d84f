"""The float operators between an integer and its code, and the thresholds they amount to (design §2.4, §2.13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.layers import IntArray
from crq.hw.read.activations import ACTIVATIONS

Array = NDArray[Any]


class FloatOp(NamedTuple):
    """One elementwise operator; `constants` are float32 (C,) or () as stored in the file.

    An operator of two values that the same integer makes, as x and Sigmoid(x) of x · Sigmoid(x), has its other operand
    in `other`; it stands second.
    """

    kind: str
    constants: tuple[Array, ...] = ()
    other: Chain | None = None

    def apply(self, x: Array, acc: IntArray) -> Array:
        """Evaluate on x (C, K), made of the integers `acc`, in x's dtype, one IEEE operation after the other."""
        c = [k.astype(x.dtype)[:, None] if k.ndim else k.astype(x.dtype) for k in self.constants]
        if self.other is not None:
            c.append(self.other(acc, x.dtype.type))
        return _OPERATORS[self.kind](x, *c)

    def at(self, channels: Array) -> FloatOp:
        constants = tuple(k[channels] if k.ndim else k for k in self.constants)
        return FloatOp(self.kind, constants, None if self.other is None else self.other.at(channels))

    def same(self, other: FloatOp) -> bool:
        """Whether both are one operator with equal constants."""
        if self.kind != other.kind or (self.other is None) != (other.other is None):
            return False
        equal = all(np.array_equal(a, b) for a, b in zip(self.constants, other.constants, strict=True))
        return equal and (self.other is None or other.other is None or self.other.same(other.other))

    @property
    def sign(self) -> Array:
        """+1, -1 or 0 per channel (or one for all): the direction in which the result moves with x."""
        if self.kind in ("Mul", "Div", "BatchNormalization"):
            return np.sign(self.constants[0])
        return np.asarray(-1.0 if self.kind == "RSub" else 1.0)


def _batch_norm(x: Array, scale: Array, bias: Array, mean: Array, var: Array, eps: Array) -> Array:
    return (x - mean) / np.sqrt(var + eps) * scale + bias


_OPERATORS: dict[str, Callable[..., Array]] = {
    "Mul": lambda x, c: x * c,
    "Div": lambda x, c: x / c,
    "Add": lambda x, c: x + c,
    "Sub": lambda x, c: x - c,
    "RSub": lambda x, c: c - x,
    "BatchNormalization": _batch_norm,
    "Pow": lambda x, c: np.power(x, c),
    "Relu": lambda x: np.maximum(x, x.dtype.type(0)),
    "Clip": lambda x, low, high: np.clip(x, low, high),
    **{kind: activation.function for kind, activation in ACTIVATIONS.items()},
}
AFFINE = ("Mul", "Div", "Add", "Sub", "RSub", "BatchNormalization")
TURNING = ("Pow", *(kind for kind, activation in ACTIVATIONS.items() if activation.turns))


@dataclass(frozen=True)
class Quantizer:
    """code = round(clip(x / scale + zero, low, high)) - zero, or ±1 by sign for a bipolar one; scale () or (C,)."""

    scale: Array
    zero: int
    low: int
    high: int
    round: Callable[[Array], Array]
    bipolar: bool = False

    @property
    def qmin(self) -> int:
        return -1 if self.bipolar else self.low - self.zero

    @property
    def qmax(self) -> int:
        return 1 if self.bipolar else self.high - self.zero

    def at(self, channels: Array) -> Quantizer:
        """Of some channels."""
        return replace(self, scale=self.scale[channels]) if self.scale.ndim else self

    def apply(self, x: Array) -> IntArray:
        if self.bipolar:
            return np.where(x >= 0, 1, -1)
        scale = self.scale[:, None] if self.scale.ndim else self.scale
        units = x / scale.astype(x.dtype) + x.dtype.type(self.zero)
        return self.round(np.clip(units, self.low, self.high)).astype(np.int64) - self.zero


@dataclass(frozen=True)
class Steps:
    """A MultiThreshold: code = qmin + repeat · #{k : x >= table[c, k]}; table float (C, K), ascending."""

    table: Array
    qmin: int
    repeat: int

    @property
    def qmax(self) -> int:
        return self.qmin + self.repeat * self.table.shape[1]

    def at(self, channels: Array) -> Steps:
        """Of some channels."""
        return replace(self, table=self.table[channels])

    def apply(self, x: Array) -> IntArray:
        count = (x[:, :, None] >= self.table.astype(x.dtype)[:, None, :]).sum(-1)
        return self.qmin + self.repeat * count


@dataclass(frozen=True)
class Truncation:
    """code = round(clip(rint(x / scale) / 2**shift, low, high)): qonnx's Trunc without a zero point."""

    scale: Array
    shift: int
    low: int
    high: int
    round: Callable[[Array], Array]

    @property
    def qmin(self) -> int:
        return self.low

    @property
    def qmax(self) -> int:
        return self.high

    def at(self, channels: Array) -> Truncation:
        """Of some channels: it has one scale for all."""
        return self

    def apply(self, x: Array) -> IntArray:
        whole = np.rint(x / self.scale.astype(x.dtype))
        return self.round(np.clip(whole / x.dtype.type(1 << self.shift), self.low, self.high)).astype(np.int64)


Rule = Quantizer | Steps | Truncation
"""What makes codes of floats and never falls."""


@dataclass(frozen=True)
class Chain:
    """Operators in file order, for `channels` channels."""

    channels: int
    ops: tuple[FloatOp, ...] = ()

    def then(self, kind: str, *constants: Array) -> Chain:
        return replace(self, ops=(*self.ops, FloatOp(kind, constants)))

    def after(self, kind: str, *constants: Array) -> Chain:
        """The chain with one more operator in front."""
        return replace(self, ops=(FloatOp(kind, constants), *self.ops))

    def at(self, channels: Array) -> Chain:
        """Of some of its channels."""
        return Chain(len(channels), tuple(op.at(channels) for op in self.ops))

    def same(self, other: Chain) -> bool:
        """Whether both compute the same in every channel, operator by operator."""
        return len(self.ops) == len(other.ops) and all(a.same(b) for a, b in zip(self.ops, other.ops, strict=True))

    def joined(self, kind: str, other: Chain) -> Chain:
        """The chain with an operator whose second operand is made of the same integer."""
        return replace(self, ops=(*self.ops, FloatOp(kind, (), other)))

    def __call__(self, acc: IntArray, dtype: type[np.floating]) -> Array:
        x = acc.astype(dtype)
        for op in self.ops:
            x = op.apply(x, acc)
        return x

    def unclipped(self) -> Chain:
        """Without what only cuts off values."""
        return replace(self, ops=tuple(op for op in self.ops if op.kind not in ("Relu", "Clip")))

    @property
    def turns(self) -> bool:
        """Whether it may rise in one place and fall in another."""
        return any(op.other is not None or op.kind in TURNING for op in self.ops)

    @property
    def signs(self) -> IntArray:
        """σ (C,): -1 where the chain falls, +1 where it grows or is constant. Of a chain that does not turn."""
        sign = np.ones(self.channels)
        for op in self.ops:
            sign = sign * op.sign
        return np.where(sign < 0, -1, 1).astype(np.int64)

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """(gain, offset), float64 (C,), if every operator is affine; else None."""
        gain, offset = np.ones(self.channels), np.zeros(self.channels)
        for op in self.ops:
            c = [k.astype(np.float64) for k in op.constants]
            if op.kind not in AFFINE or op.other is not None:
                return None
            if op.kind == "Mul":
                gain, offset = gain * c[0], offset * c[0]
            elif op.kind == "Div":
                gain, offset = gain / c[0], offset / c[0]
            elif op.kind in ("Add", "Sub"):
                offset = offset + c[0] if op.kind == "Add" else offset - c[0]
            elif op.kind == "RSub":
                gain, offset = -gain, c[0] - offset
            else:
                scale, bias, mean, var, eps = c
                factor = scale / np.sqrt(var + eps)
                gain, offset = gain * factor, (offset - mean) * factor + bias
        return gain, offset


class Table(NamedTuple):
    """thresholds int64 (C, K) for σ·acc; `ties`: channels where float32 evaluation would give another table."""

    thresholds: IntArray
    signs: IntArray
    ties: IntArray


def thresholds(chain: Chain, quantizer: Rule, lo: IntArray, hi: IntArray) -> Table:
    """The chain and its quantizer as thresholds, by float64 evaluation on the integers of [lo, hi] (per channel)."""
    signs = chain.signs
    low, high = np.where(signs > 0, lo, -hi), np.where(signs > 0, hi, -lo)
    table, single = (bisect(chain, quantizer, low, high, dtype) for dtype in (np.float64, np.float32))
    return Table(table, signs, np.flatnonzero((table != single).any(axis=1)))


def bisect(
    chain: Chain, quantizer: Rule, lo: IntArray, hi: IntArray, dtype: type[np.floating], near: IntArray | None = None
) -> IntArray:  # fmt: skip
    """For every code above the lowest the first σ·acc of [lo, hi] that gives it, hi + 1 where none does; int64 (C, K).

    `near`, of that shape: where they are looked for first.
    """
    steps, signs = np.arange(quantizer.qmin + 1, quantizer.qmax + 1), chain.signs[:, None]
    lo, hi = lo[:, None], hi[:, None]

    def reached(x: IntArray) -> NDArray[np.bool_]:
        # hi + 1 stands for "never": it is not evaluated.
        return np.asarray((quantizer.apply(chain(signs * np.minimum(x, hi), dtype)) >= steps) | (x > hi))

    low, high = (np.broadcast_to(end, (chain.channels, len(steps))) for end in (lo, hi + 1))
    if near is not None:
        before, behind = np.clip(near - 2, lo, hi + 1), np.clip(near + 2, lo, hi + 1)
        low = np.where((before > lo) & ~reached(np.maximum(before - 1, lo)), before, low)
        high = np.where(reached(behind), behind, high)
    while (low < high).any():
        middle = (low + high) >> 1
        met, open_ = reached(middle), low < high
        high = np.where(open_ & met, middle, high)
        low = np.where(open_ & ~met, middle + 1, low)
    return low

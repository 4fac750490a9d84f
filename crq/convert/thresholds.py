"""From a layer's float chain to integer thresholds (numeric contract, design §2.4).

A layer's sum `acc` becomes a code through `Mul α → Mul g → Add b → Quant`, one IEEE operation each. Every step is
monotone in acc, so the chain is a table of thresholds, found here by bisection on the chain itself. The constants are
fixed so that float32 and float64 evaluation give the same table. An activation function before the Quant is part of the
chain; where libraries may round it differently, the table is the same for every value within `MARGIN` of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.convert.activations import MARGIN, Activation
from crq.errors import CrqError

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

MAX_NUDGE = 1023
"""Most ulps by which a channel's b may move before `fit` gives up: at most 2⁻¹³ of the larger of |b| and the output
scale. Layers of 8 bits before codes of 8 bits were seen to need 165."""
FEW, MAX_SHIFT = 63, 1 << 16
"""Before a function that machines round differently: so many ulps one by one, then doubled up to so many, by which b
leaves a flat stretch."""
_ROUNDS, _AT_ONCE, _LATER = 6, 64, 8
"""Channels are moved so many at once; those that the first rounds leave, fewer: where one cannot be moved, `fit` says
so after them, not after all."""


class QuantSpec(NamedTuple):
    """An activation quantizer: code = round-half-even(clip(x / scale, qmin, qmax)); `scale` is a power of two."""

    scale: float
    qmin: int
    qmax: int


@dataclass(frozen=True)
class Chain:
    """The float steps between a sum and its code.

    `in_scale` is the power-of-two weight of one unit of acc. `divisor` is the size of an average pool's window (1:
    none). `alpha` float32 scalar; `gain` and `bias` float32 (C,); `activation` follows them. A missing step is None
    and is not evaluated.
    """

    in_scale: float
    quant: QuantSpec
    channels: int
    divisor: int = 1
    alpha: np.float32 | None = None
    gain: FloatArray | None = None
    bias: FloatArray | None = None
    activation: Activation | None = None

    @property
    def signs(self) -> IntArray:
        """σ (C,): +1 where codes grow with acc (or are constant), -1 where they fall."""
        gain = np.ones(self.channels) if self.gain is None else self.gain
        return np.where(gain < 0, -1, 1).astype(np.int64)

    def codes(self, acc: IntArray, dtype: type[np.floating], reciprocal: bool = False, margin: float = 0.0) -> IntArray:
        """Evaluate the chain on acc (C, K) in `dtype`; the average as a product with 1/divisor if `reciprocal`.

        margin: what the activation's value is off by, in units of the larger of 1 and the value.
        """
        x = self.value(acc, dtype, reciprocal)
        if self.activation is not None:
            x = self.activation(x)
            x = x + dtype(margin) * np.maximum(np.abs(x), dtype(1))
        q = np.rint(np.clip(x / dtype(self.quant.scale), self.quant.qmin, self.quant.qmax))
        return q.astype(np.int64)

    def value(self, acc: IntArray, dtype: type[np.floating], reciprocal: bool = False) -> NDArray[np.floating]:
        """The affine part of the chain, in `dtype`."""
        column = (slice(None), None)
        x = acc.astype(dtype) * dtype(self.in_scale)
        if self.divisor != 1:
            x = x * dtype(dtype(1) / dtype(self.divisor)) if reciprocal else x / dtype(self.divisor)
        if self.alpha is not None:
            x = x * dtype(self.alpha)
        if self.gain is not None:
            x = x * self.gain.astype(dtype)[column]
        if self.bias is not None:
            x = x + self.bias.astype(dtype)[column]
        return x


class Thresholds(NamedTuple):
    """`table` int64 (C, K) ascending, for σ·acc; `bias` float32 (C,) to be stored, or None; `nudged` ulps (C,).

    An activation with a valley has K more columns: the thresholds of −σ·acc, whose codes count too.
    """

    table: IntArray
    signs: IntArray
    bias: FloatArray | None
    nudged: IntArray


Codes = Callable[[IntArray], IntArray]


def _first(codes: Codes, steps: IntArray, lo: IntArray, hi: IntArray) -> IntArray:
    """Smallest integer in [lo, hi] (each (C,)) whose code reaches each of `steps` (K,); hi + 1 if none does: (C, K)."""
    low = np.repeat(lo[:, None], len(steps), axis=1)
    high = np.repeat(hi[:, None] + 1, len(steps), axis=1)
    while (low < high).any():
        middle = (low + high) >> 1
        # The end of the interval stands for "never": it is not evaluated.
        reached = codes(np.minimum(middle, hi[:, None])) >= steps
        open_ = low < high
        high = np.where(open_ & reached, middle, high)
        low = np.where(open_ & ~reached, middle + 1, low)
    return low


def _tables(chain: Chain, codes: Codes, lo: IntArray, hi: IntArray, dtype: type[np.floating]) -> IntArray:
    """The thresholds for σ·acc in [lo, hi], of `codes` of σ·acc; with a valley those for −σ·acc beside them."""
    steps = np.arange(chain.quant.qmin + 1, chain.quant.qmax + 1)
    valley = None if chain.activation is None else chain.activation.function.valley
    if valley is None:
        return _first(codes, steps, lo, hi)
    signs = chain.signs[:, None]
    bottom = _first(lambda u: (chain.value(signs * u, dtype) >= valley).astype(np.int64), np.array([1]), lo, hi)[:, 0]
    rise = _first(codes, steps, bottom, hi)
    fall = _first(lambda w: codes(-w), steps, 1 - bottom, -lo)
    ends = (codes(np.clip(end, lo, hi)[:, None]) for end in (bottom - 1, bottom))
    everywhere = steps <= np.minimum(*ends)  # what is reached in the valley, counted once
    rise, fall = np.where(everywhere, lo[:, None], rise), np.where(everywhere, 1 - lo[:, None], fall)
    return np.concatenate([rise, np.sort(fall, axis=1)], axis=1)


def _variants(chain: Chain, lo: IntArray, hi: IntArray) -> list[IntArray]:
    """The tables of every evaluation a runtime may choose: float32 or float64, division or reciprocal, any rounding
    of the activation."""
    reciprocals = (False, True) if chain.divisor != 1 else (False,)
    margins = (0.0,) if chain.activation is None or chain.activation.function.exact else (-MARGIN, MARGIN)
    signs = chain.signs[:, None]
    return [
        _tables(chain, lambda u: chain.codes(signs * u, dtype, r, margin), lo, hi, dtype)  # noqa: B023, used at once
        for dtype in (np.float32, np.float64)
        for r in reciprocals
        for margin in margins
    ]


def _shifts(chain: Chain) -> list[IntArray]:
    """Ulps by which b is moved, fewest first, in rounds of growing size."""
    steps = np.arange(1, MAX_NUDGE + 1)
    if chain.activation is not None and not chain.activation.function.exact:
        steps = np.append(steps[:FEW], 1 << np.arange(FEW.bit_length(), MAX_SHIFT.bit_length()))
    shifts = np.stack([steps, -steps], axis=1).ravel()
    return np.split(shifts, 2 ** np.arange(2, len(shifts).bit_length()) - 2)


def _disagreeing(tables: list[IntArray]) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = np.any([(t != tables[0]).any(axis=1) for t in tables[1:]], axis=0)
    return result


def _select(chain: Chain, channels: IntArray, bias: FloatArray) -> Chain:
    gain = None if chain.gain is None else chain.gain[channels]
    activation = None if chain.activation is None else chain.activation.at(channels)
    return Chain(chain.in_scale, chain.quant, len(channels), chain.divisor, chain.alpha, gain, bias, activation)


def fit(chain: Chain, lo: IntArray, hi: IntArray, layer: str) -> Thresholds:
    """Thresholds of `chain` for acc in [lo, hi] (int64, (C,)), equal under float32 and float64 evaluation.

    Where the two differ, b moves by the fewest ulps (of the larger of |b| and the output scale) of those tried that
    reconcile them. Raises `CrqError` naming `layer` and the channel if the constants are not finite or none does.
    """
    for what, values in (("alpha", chain.alpha), ("gain", chain.gain), ("bias", chain.bias)):
        if values is not None and not np.isfinite(values).all():
            raise CrqError(f"layer {layer!r}: its {what} is not finite; check batch-norm statistics and weights")
    signs = chain.signs
    mirrored_lo, mirrored_hi = np.where(signs > 0, lo, -hi), np.where(signs > 0, hi, -lo)
    tables = _variants(chain, mirrored_lo, mirrored_hi)
    nudged = np.zeros(chain.channels, np.int64)
    bad = np.flatnonzero(_disagreeing(tables))
    if not len(bad):
        return Thresholds(tables[0], signs, chain.bias, nudged)
    bias = np.zeros(chain.channels, np.float32) if chain.bias is None else chain.bias.copy()
    table, shifts = tables[0], _shifts(chain)

    def move(block: IntArray, rounds: list[IntArray]) -> IntArray:
        """Move the channels of `block`; those that cannot be."""
        here, ends = _select(chain, block, bias[block]), (mirrored_lo[block], mirrored_hi[block])
        bias[block], table[block], nudged[block] = _moved(here, table[block], rounds, *ends)
        return block[nudged[block] == 0]

    for block in _blocks(bad, _AT_ONCE):
        move(block, shifts[:_ROUNDS])
    for block in _blocks(bad[nudged[bad] == 0], _LATER):
        if len(left := move(block, shifts[_ROUNDS:])):
            raise CrqError(
                f"layer {layer!r}, channel {int(left[0])}: float32 and float64 evaluation of its chain disagree and no "
                f"shift of the bias by up to {shifts[-1].max()} ulps reconciles them; {_remedy(chain)}"
            )
    return Thresholds(table, signs, bias, nudged)


def _blocks(channels: IntArray, size: int) -> list[IntArray]:
    return [channels[first : first + size] for first in range(0, len(channels), size)]


def _moved(
    chain: Chain, table: IntArray, rounds: list[IntArray], lo: IntArray, hi: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """b of each channel moved by the fewest ulps of `rounds` that reconcile it, the table it then has, and the ulps;
    where none do, b and `table` as they are, and 0."""
    start = chain.bias
    assert start is not None
    ulp = np.spacing(np.maximum(np.abs(start), np.float32(chain.quant.scale)))
    bias, nudged, left = start.copy(), np.zeros(chain.channels, np.int64), np.arange(chain.channels)
    for shifts in rounds:
        rows, tried = np.repeat(left, len(shifts)), np.tile(shifts, len(left))
        moved = start[rows] + tried.astype(np.float32) * ulp[rows]
        tables = _variants(_select(chain, rows, moved), lo[rows], hi[rows])
        agreed = ~_disagreeing(tables).reshape(len(left), len(shifts))
        found = agreed.any(axis=1)
        best = (np.arange(len(left)) * len(shifts) + agreed.argmax(axis=1))[found]
        bias[left[found]], table[left[found]], nudged[left[found]] = moved[best], tables[0][best], tried[best]
        left = left[~found]
        if not len(left):
            break
    return bias, table, nudged


def _remedy(chain: Chain) -> str:
    if chain.activation is None:
        return "give the layer in front fewer bits of weights (integer) or of codes behind it (act_bits), or retrain it"
    return (
        f"a flat stretch of {chain.activation.kind} lies between two codes of scale {chain.quant.scale:g}: use another "
        "number of act_bits, give the layer in front fewer bits of weights (integer), or train it to another scale"
    )

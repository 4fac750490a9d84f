"""Threshold tables that need no memory: arithmetic progressions, and rounding to a power of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crq.hw.dataflow.bits import signed_width
from crq.hw.dataflow.thresholds import Table
from crq.hw.ir.layers import IntArray

MAX_FRACTION = 24
MAX_ROUNDED = 30

SearchKind = Literal["lut", "bram", "ramp"]
"""What a sequential stage finds codes with: a table in LUTs, a table in block RAM, or a progression."""


def sequential_cycles(bits: int) -> int:
    """Cycles per channel of a sequential stage, of any kind: one per code bit."""
    return bits


@dataclass(frozen=True, eq=False)
class Progression:
    """Entry k of channel c, k = 1 ... 2**bits - 1, is ((b[c] + k·D[c]) >> f) + 1; `b`, `D` (C,), D >= 0.

    A sum x meets k·D <= x·2**f - b - 1 instead: `x` >= entry if and only if x·2**f > b + k·D.
    """

    b: IntArray
    D: IntArray
    f: int

    def entries(self, count: int) -> IntArray:
        """The first `count` entries of each channel, (C, count), whether reachable or not."""
        return ((self.b[:, None] + np.arange(1, count + 1) * self.D[:, None]) >> self.f) + 1

    @property
    def b_bits(self) -> int:
        """Signed bits of `b`, and of -b - 1."""
        return signed_width(int(self.b.min()), int(self.b.max()))

    @property
    def d_bits(self) -> int:
        """Unsigned bits of `D`, at least one."""
        return max(1, int(self.D.max()).bit_length())

    def sum_bits(self, lo: IntArray, hi: IntArray) -> int:
        """Signed bits of x·2**f - b - 1 for x in [lo, hi] of each channel (C,); more than f."""
        ends = (lo << self.f) - self.b - 1, (hi << self.f) - self.b - 1
        return max(signed_width(int(ends[0].min()), int(ends[1].max())), self.f + 1)


def progression(table: Table) -> Progression | None:
    """The progression equal to `table` on every reachable sum, or None if some channel has none with f <= 24.

    Each channel has the smallest f it can have, then the smallest D and the b nearest to 0; channels are then brought
    to one f.
    """
    rows, lo, hi = table.rows, table.lo[:, None], table.hi[:, None]
    channels, count = rows.shape
    # No product below exceeds count · 2**(width + 2 + f).
    limit = min(MAX_FRACTION, 60 - table.width - table.bits)
    above, below = _slopes(table)
    spans = np.arange(1, count + 1)[:, None]
    fraction = np.full(channels, -1)
    step = np.zeros(channels, np.int64)
    for f in range(limit + 1):
        least = np.maximum(-((-(below << f) - 1) // spans), 0).max(0)
        most = (((above << f) - 1) // spans).min(0)
        found = (fraction < 0) & (least <= most)
        fraction[found], step[found] = f, least[found]
        if (fraction >= 0).all():
            break
    else:
        return None
    # T - 1 <= (b + k·D) / 2**f < T; of an entry that is always met only the upper bound counts, of one never met the
    # lower one.
    shift, k = fraction[:, None], np.arange(1, count + 1) * step[:, None]
    none = np.int64(1) << 62
    lowest = np.where(rows > lo, ((rows - 1) << shift) - k, -none).max(1)
    highest = np.where(rows <= hi, (rows << shift) - 1 - k, none).min(1)
    start = np.clip(0, lowest, highest)
    f = int(fraction.max())
    result = Progression(start << (f - fraction), step << (f - fraction), f)
    # Codes are step functions: they are equal for every integer of [lo, hi] where each step, moved into [lo, hi + 1],
    # is at the same place.
    assert np.array_equal(np.clip(result.entries(count), lo, hi + 1), rows)
    return result


def _slopes(table: Table) -> tuple[IntArray, IntArray]:
    """Bounds (2**bits - 1, C) of m·D / 2**f for m = 1 ...: below the first, above the second, both exclusive.

    Any two entries bound D: T_i - 1 <= (b + i·D) / 2**f < T_i for both leaves (j - i)·D within one of T_j - T_i. That
    is all that bounds it: where every pair leaves room, so do all (the intervals of b meet in pairs).
    """
    rows, (channels, count) = table.rows, table.rows.shape
    from_below, from_above = rows > table.lo[:, None], rows <= table.hi[:, None]
    none = np.int64(count) << (table.width + 2)
    above, below = np.full((count, channels), none), np.full((count, channels), -none)
    for m in range(1, count):
        rise = rows[:, m:] - rows[:, :-m]
        above[m - 1] = np.where(from_below[:, :-m] & from_above[:, m:], rise + 1, none).min(1)
        below[m - 1] = np.where(from_above[:, :-m] & from_below[:, m:], rise - 1, -none).max(1)
    return above, below


@dataclass(frozen=True)
class Rounding:
    """code = (x + offset) / 2**shift, rounded half to even and clamped to the code's range; for all channels."""

    shift: int
    offset: int = 0


def rounding(table: Table) -> Rounding | None:
    """The rounding equal to `table` on every reachable sum, or None; without an offset where that is possible.

    None too for sums of more than `MAX_ROUNDED` bits, whose constants would not fit an int.
    """
    if table.width > MAX_ROUNDED:
        return None
    count = table.rows.shape[1]
    codes = np.arange(1, count + 1) - ((1 << (table.bits - 1)) if table.signed else 0)
    met, not_met = table.rows <= table.hi[:, None], table.rows > table.lo[:, None]
    none = np.int64(1) << 62
    found = []
    for shift in range(table.width + 1):
        # The least x that is rounded to a code or above: a tie goes up to an even code, and an odd one needs one more.
        steps = (codes << shift) - ((1 << shift) >> 1) + ((codes & 1) if shift else 0)
        least = int(np.where(met, steps - table.rows, -none).max())
        most = int(np.where(not_met, steps - table.rows, none).min())
        if least <= most:
            found.append(Rounding(shift, min(max(0, least), most)))
    return min(found, key=lambda r: (abs(r.offset), r.shift), default=None)

"""Thresholds as hardware wants them: tables, whose entries are compared at once or searched, and progressions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from crq.hw.dataflow.bits import signed_width
from crq.hw.ir.layers import Format, IntArray, Threshold
from crq.hw.ir.progression import Progression

# Code bits up to which thresholds are compared all at once; wider codes are searched in one pipelined step per bit.
COMPARATOR_BITS = 4
COMPARATOR_LEVELS = (1 << COMPARATOR_BITS) - 1


def search_steps(layer: Threshold | None) -> int:
    """Pipelined steps of the search for a code; 0 where all thresholds are compared at once, and without any."""
    bits = layer.output.format.bits if layer else 0
    return bits if bits > COMPARATOR_BITS else 0


def filled_levels(layer: Threshold) -> int:
    """Entries per channel of the HLS table: a searched one is filled up to 2^bits - 1 with levels never reached."""
    levels = layer.levels
    return levels if levels <= COMPARATOR_LEVELS else (1 << levels.bit_length()) - 1


@dataclass(frozen=True, eq=False)
class Table:
    """`rows` (C, 2**bits - 1): code = number of entries <= x, its top bit inverted if `signed`.

    An entry at `lo` of its channel is always met, one at `hi` + 1 never. `width`: signed bits of x and of the entries.
    """

    rows: IntArray
    lo: IntArray
    hi: IntArray
    bits: int
    signed: bool
    width: int

    @property
    def channels(self) -> int:
        return len(self.rows)

    @property
    def searched(self) -> bool:
        return self.bits > COMPARATOR_BITS


@dataclass(frozen=True, eq=False)
class Ramp:
    """A progression on sums that lie in [lo, hi] per channel (C,): the code is the number of entries that are met, its
    top bit inverted if `signed`. `width`: signed bits of the sums."""

    progression: Progression
    lo: IntArray
    hi: IntArray
    bits: int
    signed: bool
    width: int
    searched = True  # a bit of the code after the other

    @property
    def channels(self) -> int:
        return len(self.lo)

    @property
    def b_bits(self) -> int:
        """Signed bits of `b`, and of -b - 1; with ties of -b."""
        b, ties = self.progression.b, self.progression.ties
        return signed_width(int(b.min()) - ties, int(b.max()) + ties)

    @property
    def d_bits(self) -> int:
        """Unsigned bits of `D`, at least one."""
        return max(1, int(self.progression.D.max()).bit_length())

    @property
    def sum_bits(self) -> int:
        """Signed bits of x·2**f - b, less 1 without ties, for every sum; more than f."""
        p = self.progression
        ends = [[(int(x) << p.f) - int(b) - (not p.ties) for x, b in zip(side, p.b, strict=True)]
                for side in (self.lo, self.hi)]  # fmt: skip
        return max(signed_width(min(ends[0]), max(ends[1])), p.f + 1)

    @property
    def starts(self) -> bool:
        """Whether some channel has entries before its line."""
        return bool(self.progression.starts.any())

    @property
    def clamped(self) -> bool:
        """Whether codes end before the first or the last of their format."""
        return (self.progression.least, self.progression.highest) != (0, (1 << self.bits) - 1)


def table(layer: Threshold, lo: IntArray, hi: IntArray, offset: IntArray, width: int | None = None) -> Table | Ramp:
    """The thresholds of `layer` for an input that is lower by `offset` per channel and lies in [lo, hi] then."""
    fmt: Format = layer.output.format
    count = (1 << fmt.bits) - 1
    base = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    needed = signed_width(int(lo.min()), int(hi.max()) + 1)
    if isinstance(layer.thresholds, Progression):
        along = layer.thresholds.moved(offset).with_front(layer.qmin - base)
        along = replace(along, most=min(along.highest, count))
        return Ramp(along, lo, hi, fmt.bits, fmt.signed, max(needed, width or 0))
    rows = np.clip(layer.thresholds - offset[:, None], lo[:, None], hi[:, None] + 1)
    front = layer.qmin - base
    always = np.repeat(lo[:, None], max(front, 0), axis=1)
    rows = np.concatenate([always, rows[:, max(-front, 0) :]], axis=1)[:, :count]
    never = np.repeat(hi[:, None] + 1, count - rows.shape[1], axis=1)
    rows = np.concatenate([rows, never], axis=1)
    return Table(rows, lo, hi, fmt.bits, fmt.signed, max(needed, width or 0))

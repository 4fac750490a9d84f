"""Threshold tables that need no memory: arithmetic progressions, and rounding to a power of two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.ir.lines import joined, line
from crq.hw.ir.progression import Progression

MAX_FRACTION = 24
MAX_ROUNDED = 30

SearchKind = Literal["lut", "bram", "ramp"]
"""What a sequential stage finds codes with: a table in LUTs, a table in block RAM, or a progression."""


def sequential_cycles(bits: int) -> int:
    """Cycles per channel of a sequential stage, of any kind: one per code bit."""
    return bits


def progression(table: Table) -> Progression | None:
    """The progression equal to `table` on every reachable sum, or None if some channel has none with f <= 24.

    Each channel has the smallest f it can have, then the smallest D and the b nearest to 0; channels are then brought
    to one f.
    """
    limit = min(MAX_FRACTION, 60 - table.width - table.bits)
    found = []
    for row, lo, hi in zip(table.rows, table.lo.tolist(), table.hi.tolist(), strict=True):
        own = line(row, lo, hi, limit)
        if own is None:
            return None
        found.append(own)
    count, lo, hi = table.rows.shape[1], table.lo[:, None], table.hi[:, None]
    result = joined(found, count)
    # Codes are step functions: they are equal for every integer of [lo, hi] where each step, moved into [lo, hi + 1],
    # is at the same place.
    entries = np.stack([result.entries(c) for c in range(len(found))])
    assert np.array_equal(np.clip(entries, lo, hi + 1), table.rows)
    return result


@lru_cache(maxsize=4096)
def ramp(found: Table | Ramp) -> Ramp | None:
    """A table as a progression; None if it is none."""
    if isinstance(found, Ramp):
        return found
    along = progression(found)
    return None if along is None else Ramp(along, found.lo, found.hi, found.bits, found.signed, found.width)


@dataclass(frozen=True)
class Rounding:
    """code = (x + offset) / 2**shift, rounded half to even and clamped to the code's range; for all channels."""

    shift: int
    offset: int = 0


def rounding(table: Table | Ramp) -> Rounding | None:
    """The rounding equal to `table` on every reachable sum, or None; without an offset where that is possible.

    None too for sums of more than `MAX_ROUNDED` bits, whose constants would not fit an int.
    """
    if isinstance(table, Ramp) or table.width > MAX_ROUNDED:
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

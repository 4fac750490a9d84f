"""Threshold tables as hardware wants them, and whether their entries are compared at once or searched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crq.hw.dataflow.bits import signed_width
from crq.hw.ir.layers import Format, IntArray, Threshold

# Code bits up to which thresholds are compared all at once; wider codes are searched in one pipelined step per bit.
COMPARATOR_BITS = 4
COMPARATOR_LEVELS = (1 << COMPARATOR_BITS) - 1


def search_steps(layer: Threshold | None) -> int:
    """Pipelined steps of the search for a code; 0 where all thresholds are compared at once, and without any."""
    bits = layer.output.format.bits if layer else 0
    return bits if bits > COMPARATOR_BITS else 0


def filled_levels(layer: Threshold) -> int:
    """Entries per channel of the HLS table: a searched one is filled up to 2^bits - 1 with levels never reached."""
    levels = int(layer.thresholds.shape[1])
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
    def searched(self) -> bool:
        return self.bits > COMPARATOR_BITS


def table(layer: Threshold, lo: IntArray, hi: IntArray, offset: IntArray, width: int | None = None) -> Table:
    """The table of `layer` for an input that is lower by `offset` per channel and lies in [lo, hi] then."""
    fmt: Format = layer.output.format
    count = (1 << fmt.bits) - 1
    base = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    rows = np.clip(layer.thresholds - offset[:, None], lo[:, None], hi[:, None] + 1)
    front = layer.qmin - base
    always = np.repeat(lo[:, None], max(front, 0), axis=1)
    rows = np.concatenate([always, rows[:, max(-front, 0) :]], axis=1)[:, :count]
    never = np.repeat(hi[:, None] + 1, count - rows.shape[1], axis=1)
    rows = np.concatenate([rows, never], axis=1)
    needed = signed_width(int(lo.min()), int(hi.max()) + 1)
    return Table(rows, lo, hi, fmt.bits, fmt.signed, max(needed, width or 0))

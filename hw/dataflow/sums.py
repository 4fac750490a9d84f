"""The sums of a convolution or dense layer as its lanes give them, and its thresholds on these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from crq.hw.dataflow.bits import signed_width
from crq.hw.dataflow.thresholds import Ramp, Table, table
from crq.hw.dataflow.units import Unit
from crq.hw.ir.digits import complement_offset, complement_range, lane_bits
from crq.hw.ir.layers import IntArray, Mac
from crq.hw.ir.ranges import sum_range


@dataclass(frozen=True, eq=False)
class Sums:
    """A lane's sum has `bits` and lacks `offset` per channel; with `middle` taken off it has a sign, and `table` are
    the thresholds of what remains."""

    bits: int
    offset: IntArray
    middle: int
    table: Table | Ramp | None


@lru_cache(maxsize=4096)
def sums(unit: Unit, unrolled: bool) -> Sums:
    """Of a folded lane, which adds unsigned words; or, with all weights built in, the exact sums of an adder graph."""
    mac = unit.layer
    assert isinstance(mac, Mac)
    if unrolled:
        lo, hi = sum_range(mac.weights.astype(np.int64), mac.input.lo, mac.input.hi, mac.groups)
        offset, bits, middle = np.zeros(len(lo), np.int64), signed_width(int(lo.min()), int(hi.max()) + 1), 0
    else:
        lo, hi = complement_range(mac)
        offset, bits = complement_offset(mac), lane_bits(mac, unit.threshold is not None)
        middle = 1 << (bits - 1)  # the sums have no sign: with their top bit inverted thresholds see one
    found = None
    if unit.threshold is not None:
        found = table(unit.threshold, lo - middle, hi - middle, offset + middle, bits)
    return Sums(bits, offset, middle, found)

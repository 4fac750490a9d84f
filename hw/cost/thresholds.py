"""The price of threshold lanes, compared at once or searched."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hw.cost import constants as measured
from hw.cost.constants import comparator, fixed_comparator
from hw.cost.primitives import rom
from hw.cost.resources import Resources
from hw.dataflow.bits import as_bits, clog2
from hw.dataflow.thresholds import COMPARATOR_BITS
from hw.ir.layers import IntArray, Threshold, smallest_format


@lru_cache(maxsize=4096)  # a folding search asks again for every SIMD
def threshold_lanes(layer: Threshold, pe: int) -> Resources:
    """Thresholds of `pe` channels per cycle."""
    lo, hi = int(layer.input.lo.min()), int(layer.input.hi.max())
    rows = np.clip(layer.thresholds, lo, hi + 1).reshape(-1, pe, layer.thresholds.shape[1])
    bits = smallest_format(lo, hi + 1).bits
    code_bits = clog2(rows.shape[2] + 1)
    each = searched if code_bits > COMPARATOR_BITS else compared
    return Resources().plus(*(each(rows[:, lane], lo, hi, bits) for lane in range(pe)))


def compared(rows: IntArray, lo: int, hi: int, bits: int) -> Resources:
    """One lane that compares with every threshold at once; `rows` (channels of this lane, thresholds)."""
    live = (rows > lo) & (rows <= hi)
    if rows.shape[0] == 1:
        return Resources(logic=len(np.unique(rows[live])) * fixed_comparator(bits))
    compared_at_all = live.any(0)
    encoder = measured.ENCODER_LUTS[clog2(rows.shape[1] + 1)]
    kept = as_bits(rows[:, compared_at_all], bits)
    return Resources(logic=int(compared_at_all.sum()) * comparator(bits) + encoder).plus(rom(kept))


def searched(rows: IntArray, lo: int, hi: int, bits: int) -> Resources:
    """One lane that searches in a binary tree: step s picks one of 2**s thresholds of the channel."""
    channels, count = rows.shape
    code_bits = clog2(count + 1)
    table = np.concatenate([rows, np.full((channels, (1 << code_bits) - 1 - count), hi + 1)], axis=1)
    total = Resources()
    for step in range(code_bits):
        picked = table[:, (1 << (code_bits - 1 - step)) - 1 :: 1 << (code_bits - step)]
        registers = Resources(logic=comparator(bits), ff=bits + step + 1)
        total = total.plus(registers, rom(as_bits(picked.reshape(-1, 1), bits)))
    return total

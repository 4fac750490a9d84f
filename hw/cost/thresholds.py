"""The price of threshold lanes, compared at once or searched."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from crq.hw.cost.constants import comparator, encoder, weighted
from crq.hw.cost.primitives import Bits, distinct_columns, rom
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import as_bits, clog2
from crq.hw.dataflow.stages import code_table
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.ir.layers import IntArray, Threshold

LUT_INPUTS = {"xcup": 6, "xc7": 6, "ecp5": 4}
BUILT_IN = ((8, "built_in_8"), (12, "built_in_12"), (1 << 30, "built_in_16"))
"""Bits of a sum, at most, and the weights of the comparators with built-in thresholds for it."""


def threshold_lanes(layer: Threshold, pe: int, family: str = "xcup") -> Resources:
    """Thresholds of `pe` channels per cycle on the layer's own input."""
    return table_lanes(code_table(layer), pe, family)


@lru_cache(maxsize=4096)  # a folding search asks again for every SIMD
def table_lanes(found: Table | Ramp, pe: int, family: str = "xcup") -> Resources:
    """Thresholds of `pe` channels per cycle, and what counts the blocks of channels."""
    if isinstance(found, Ramp):
        return divided(found, pe, family)
    rows = found.rows.reshape(-1, pe, found.rows.shape[1])
    lo, hi = found.lo.reshape(-1, pe), found.hi.reshape(-1, pe)
    if found.searched:
        total = Resources().plus(*(searched(rows[:, lane], found, family) for lane in range(pe)))
        return total.plus(counter(len(rows), family)) if len(rows) > 1 else total
    return Resources().plus(
        *(compared(rows[:, lane], lo[:, lane], hi[:, lane], found.width, family) for lane in range(pe))
    )


def compared(rows: IntArray, lo: IntArray, hi: IntArray, bits: int, family: str = "xcup") -> Resources:
    """One lane that compares with every threshold at once; `rows` (channels of this lane, thresholds)."""
    live = (rows > lo[:, None]) & (rows <= hi[:, None])
    if rows.shape[0] == 1:
        return Resources(logic=built_in(np.unique(rows[live]), bits, clog2(rows.shape[1] + 1), family))
    compared_at_all = ~((rows <= lo[:, None]).all(0) | (rows > hi[:, None]).all(0))
    count = int(compared_at_all.sum())
    if not count:
        return Resources()
    logic = count * comparator(bits, family) + encoder(clog2(rows.shape[1] + 1), family)
    return Resources(logic=logic).plus(block_constants(as_bits(rows[:, compared_at_all], bits), family))


def built_in(entries: IntArray, bits: int, code_bits: int, family: str = "xcup") -> float:
    """LUTs of a code from sums of `bits` and the `entries` of its table that are neither always met nor never."""
    if not len(entries):
        return 0
    if bits <= LUT_INPUTS[family]:  # every bit of the code is a LUT
        return min(code_bits, len(entries))
    circuit = next(name for most, name in BUILT_IN if bits <= most)
    return weighted(circuit, built_in_features(entries, bits, code_bits, family), family)


def built_in_features(entries: IntArray, bits: int, code_bits: int, family: str = "xcup") -> tuple[float, ...]:
    """What the LUTs grow with: entries, their bits, the different values of their upper bits, which fill a LUT, and of
    the bits below, of which zero is met by all, and whether a code has four bits."""
    below = bits - LUT_INPUTS[family]
    upper, lower = np.unique(entries >> below), np.unique(entries & ((1 << below) - 1))
    count = len(entries)
    return count, count * bits, len(upper), len(lower[lower > 0]), code_bits > 3


def searched(rows: IntArray, found: Table, family: str = "xcup") -> Resources:
    """One lane that searches in a binary tree: step s picks one of 2**s thresholds of the channel."""
    bits, w = found.bits, found.width
    total = Resources()
    for step in range(bits):
        picked = rows[:, (1 << (bits - 1 - step)) - 1 :: 1 << (bits - step)]
        place = step + max(1, clog2(len(rows)))  # the bits found so far, and which channel
        registers = Resources(logic=comparator(w, family), ff=w + place)
        total = total.plus(registers, rom(as_bits(picked.reshape(-1, 1), w), family=family))
    return total


def divided(found: Ramp, pe: int, family: str = "xcup") -> Resources:
    """crq_divide on `pe` lanes, crq_clamp behind them, and the lines of a block of channels in front.

    Counted, and measured for xcup (LUT within 15%, FF within 3% of the unit): a step subtracts and selects, and
    registers D, what is left and two flags. Bits that only wait are shift registers, where LUTs can be such.
    """
    d, bits, along = found.d_bits, found.bits, found.progression
    waiting = 0 if family in ("xcup", "xc7") else bits * (bits - 1)
    each = Resources(logic=bits * (2 * d + 3) + found.sum_bits - along.f, ff=bits * (2 * d + 2) + waiting)
    total = each.times(pe).plus(Resources(logic=pe * 2 * bits if found.clamped else 0))
    words = np.concatenate([
        as_bits(along.D[:, None], d), as_bits(-along.b[:, None] - (not along.ties), found.b_bits)
    ], axis=1)  # fmt: skip
    return total.plus(*(block_constants(words[lane::pe], family) for lane in range(pe)))


def counter(blocks: int, family: str = "xcup") -> Resources:
    """What counts the blocks of channels."""
    return Resources(logic=weighted("block_counter", (1, clog2(blocks)), family), ff=clog2(blocks))


def block_constants(words: Bits, family: str = "xcup") -> Resources:
    """crq_block_rom: a word per block of channels, and the counter that reads it; a single word is a constant."""
    if len(words) == 1 or not distinct_columns(words).shape[1]:
        return Resources()
    return rom(words, family=family).plus(counter(len(words), family))

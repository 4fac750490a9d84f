"""What small circuits cost on a fabric of 6-input LUTs with carry chains: the formulas every unit is built from.

Constants that came from a measurement are in calibration.json and enter through `hw.estimate.calibration`; the
formulas here follow from the fabric, and each says why.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from hw.estimate.resources import Resources

Bits = NDArray[np.bool_]

# A memory of at least this many bits goes to block RAM; below, LUTs are cheaper than the 18 Kbit half they replace.
# The RTL generator sets the ram_style attribute by this rule, so that every tool follows it.
BRAM_BITS = 8192
# (depth, width) a BRAM18 takes and a BRAM36 takes in simple dual port mode (AMD UG473 table 1-2 and UG573 table 1-2).
BRAM18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
BRAM36_SHAPES = ((32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36), (512, 72))


def clog2(n: int) -> int:
    """Bits of an index into `n` things; 0 for one thing."""
    return max(0, int(n - 1).bit_length())


def tree(lanes: int, bits: int) -> int:
    """LUTs of an adder tree over `lanes` products x * t, t in {-1, 0, 1}, x of `bits` bits.

    One product is a LUT per bit. Of two products summed, one is absorbed into the adder's own LUTs.
    """
    if lanes == 1:
        return bits + 1
    if lanes == 2:
        return 2 * bits + 2
    return tree(ceil(lanes / 2), bits) + tree(lanes // 2, bits) + bits + clog2(lanes)


def comparator(bits: int) -> int:
    """LUTs of x >= y for two variables: three bit pairs per LUT, then a chain that merges the partial results."""
    return max(1, 2 * ceil(bits / 3) - 1)


def multiplexer(inputs: int) -> float:
    """LUTs per bit of an n:1 multiplexer: 4:1 in a LUT6, 8:1 and 16:1 with the slice's F7 and F8 multiplexers."""
    if inputs <= 2:
        return 0.5 * (inputs - 1)
    return ceil(inputs / 4) if inputs <= 16 else inputs / 4 + inputs / 80


def lutram(depth: int, width: int) -> int:
    """LUTs of a simple dual port LUTRAM: 8 LUTs hold 32 x 14 (RAM32M16) or 64 x 7 (RAM64M8) bits."""
    if depth <= 32:
        return 8 * ceil(width / 14)
    return 8 * ceil(width / 7) * ceil(depth / 64)


def bram18(depth: int, width: int) -> int:
    """BRAM18 halves of a memory: the fewest over all aspect ratios of both block sizes."""
    whole = min(2 * ceil(depth / d) * ceil(width / w) for d, w in BRAM36_SHAPES)
    half = min(ceil(depth / d) * ceil(width / w) for d, w in BRAM18_SHAPES)
    return min(whole, half)


def memory(depth: int, width: int) -> Resources:
    """A FIFO's or line buffer's memory, in LUTs or block RAM by `BRAM_BITS`."""
    if depth <= 1 or not width:
        return Resources(ff=depth * width)
    if depth * width >= BRAM_BITS:
        return Resources(bram18=bram18(depth, width))
    return Resources(lutram=lutram(depth, width))


def distinct_columns(words: Bits) -> Bits:
    """The columns of a ROM (depth, width) that need logic of their own: not constant, each content once."""
    varying = words[:, (words != words[:1]).any(0)]
    packed = np.packbits(varying, axis=0).T.tobytes()  # columns as byte strings: far faster than np.unique of columns
    size = -(-len(words) // 8)
    first = {packed[i * size : (i + 1) * size]: i for i in reversed(range(varying.shape[1]))}
    return varying[:, sorted(first.values())]


def rom(words: Bits) -> Resources:
    """A registered ROM with known content (depth, width)."""
    depth, width = words.shape
    if depth * width >= BRAM_BITS:
        return Resources(bram18=bram18(depth, width))
    columns = distinct_columns(words).shape[1]
    per_column = 1 if depth <= 64 else 2 if depth <= 128 else 3.9 if depth <= 256 else 1.43 * depth / 64
    return Resources(logic=columns * per_column, ff=columns)

"""What small circuits cost on a fabric of LUTs with carry chains: the formulas every unit is built from.

The formulas here follow from the fabric, and each says why; what was measured is in `crq.hw.cost.constants`.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from crq.hw.cost.constants import banks_joined, multiplexer, rom_luts
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import BRAM_BITS, in_bram

Bits = NDArray[np.bool_]

SHORTEST_SRL = 3  # registers that Yosys makes a shift register of (synth_xilinx: xilinx_srl -minlen 3)

# (depth, width) a BRAM18 takes and a BRAM36 takes in simple dual port mode (AMD UG473 table 1-2 and UG573 table 1-2).
BRAM18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
# A DP16KD of ECP5 (Lattice FPGA-TN-02204), which as PDPW16KD takes 512 x 36.
EBR_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
BRAM36_SHAPES = ((32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36), (512, 72))


def lutram(depth: int, width: int, family: str = "xcup", single: bool = False) -> int:
    """LUTs of a simple dual port LUTRAM. UltraScale+: 8 LUTs hold 32 x 14 (RAM32M16) or 64 x 7 (RAM64M8) bits;
    7-series: 4 LUTs hold 32 x 6 (RAM32M) or 64 x 3 (RAM64M); ECP5: 6 hold 16 x 4 (TRELLIS_DPR16X4). With a
    `single` port, read where it is written, Xilinx ones hold a seventh or a third more."""
    if family == "ecp5":
        return 6 * ceil(width / 4) * ceil(depth / 16)
    luts, short, long = (4, 6 + 2 * single, 3 + single) if family == "xc7" else (8, 14 + 2 * single, 7 + single)
    if depth <= 32:
        return luts * ceil(width / short)
    return luts * ceil(width / long) * ceil(depth / 64)


def bram18(depth: int, width: int, family: str = "xcup") -> int:
    """BRAM18 halves of a memory, or DP16KD blocks of ECP5."""
    return block_shape(depth, width, family)[0]


def block_shape(depth: int, width: int, family: str = "xcup", read_only: bool = False) -> tuple[int, int]:
    """(blocks, rows) of a memory: the fewest blocks over all aspect ratios, then the fewest rows. Rows of a ROM that do
    not fill the width of a block share it."""
    shapes = [(1, d, w) for d, w in (EBR_SHAPES if family == "ecp5" else BRAM18_SHAPES)]
    if family != "ecp5":
        shapes += [(2, d, w) for d, w in BRAM36_SHAPES]
    found = []
    for halves, d, w in shapes:
        rows = ceil(depth / d)
        found.append((halves * (ceil(rows * width / w) if read_only else rows * ceil(width / w)), rows))
    return min(found)


def shift_register(bits: int, length: int, family: str = "xcup") -> Resources:
    """`length` registers of `bits` one behind the other without reset. From three on synthesis for Xilinx makes LUT
    memory of them, up to 32 in a LUT."""
    if family == "ecp5" or length < SHORTEST_SRL:
        return Resources(ff=bits * length)
    return Resources(lutram=bits * ceil(length / 32))


def memory(depth: int, width: int, family: str = "xcup") -> Resources:
    """A FIFO's or line buffer's memory, in LUTs or block RAM by `BRAM_BITS`."""
    if not width:
        return Resources()
    if depth * width >= BRAM_BITS:
        return Resources(bram18=bram18(depth, width, family))
    return lutram_banks(depth, width, family)


def lutram_banks(depth: int, width: int, family: str = "xcup", single: bool = False) -> Resources:
    """LUTRAM; its banks are joined by a multiplexer and a write enable each."""
    banks = ceil(depth / (16 if family == "ecp5" else 64))
    return Resources(lutram=lutram(depth, width, family, single), logic=banks_joined(banks, width, family))


def distinct_columns(words: Bits) -> Bits:
    """The columns of a ROM (depth, width) that need logic of their own: not constant, each content once."""
    varying = words[:, (words != words[:1]).any(0)]
    packed = np.packbits(varying, axis=0).T.tobytes()  # columns as byte strings: far faster than np.unique of columns
    size = -(-len(words) // 8)
    first = {packed[i * size : (i + 1) * size]: i for i in reversed(range(varying.shape[1]))}
    return varying[:, sorted(first.values())]


def rom(words: Bits, style: str = "auto", family: str = "xcup") -> Resources:
    """A registered ROM with known content (depth, width)."""
    depth, width = words.shape
    if in_bram(words.size, style):
        return block_rom(depth, width, family)
    columns = distinct_columns(words)
    logic = _functions(columns, family) * rom_luts(depth, family)
    return Resources(logic=logic, ff=columns.shape[1])


def _functions(columns: Bits, family: str) -> int:
    """Columns that need LUTs: not those equal to a bit of the address, and one of two that are each other's complement
    where a register inverts its input (on ECP5 it does not)."""
    bits = [((np.arange(len(columns)) >> i) & 1).astype(bool) for i in range(clog2(len(columns)))]
    if family == "ecp5":
        same = sum(bool((columns == bit[:, None]).all(0).any()) for bit in bits)
        return columns.shape[1] - same
    up = columns ^ columns[:1]
    return distinct_columns(up).shape[1] - sum(bool((up == bit[:, None]).all(0).any()) for bit in bits)


def block_rom(depth: int, width: int, family: str = "xcup") -> Resources:
    """A registered ROM in block RAM, whatever its content; blocks that stand on each other have a multiplexer."""
    blocks, rows = block_shape(depth, width, family, read_only=True)
    joined = width * multiplexer(rows, family) if rows > 1 else 0
    return Resources(logic=joined, ff=clog2(rows), bram18=blocks)

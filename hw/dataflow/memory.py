"""Where constants and FIFOs lie: block RAM or LUTs. One rule for both hardware forms and for the estimate."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.units import Fold
from crq.hw.ir.layers import Mac

# A memory of at least this many bits goes to block RAM; below, LUTs are cheaper than the 18 Kbit half they replace.
# Both generators ask for it (ram_style, BIND_STORAGE), so that every tool follows it.
BRAM_BITS = 8192
LUTRAM_WORDS, BRAM_WORDS = 64, 512  # by which a memory of LUTs, and one of blocks, grows at its coarsest


def in_bram(bits: int, style: str = "auto") -> bool:
    """Whether a ROM of `bits` lies in block RAM; a `style` other than "auto" decides it whatever the size."""
    return bits >= BRAM_BITS if style == "auto" else style == "bram"


def stored(rows: NDArray[Any]) -> NDArray[Any]:
    """The constants of blocks of channels, (blocks, lanes), as a memory has them: one row where all are alike."""
    return rows[:1] if (rows == rows[:1]).all() else rows


def rounded(depth: int, width: int) -> int:
    """`depth` of a FIFO, or the next power of two where that takes no more memory: its pointers then wrap unaided."""
    power, block = 1 << clog2(depth), in_bram(depth * width)
    words = BRAM_WORDS if block else LUTRAM_WORDS
    same = block == in_bram(power * width) and -(-depth // words) == -(-power // words)
    return power if same else depth


def weight_bits(layer: Mac) -> int:
    """Bits of one weight code as the firmware packs it: two where it is ternary or bipolar."""
    return 2 if layer.multiplier_free else int(layer.weight_type.removeprefix("U").removeprefix("INT"))


def weights_in_bram(layer: Mac, fold: Fold) -> bool:
    """Whether the weight ROM of a folded layer lies in block RAM, by `fold.rom` or its size; else in LUTs.

    Its size is that of its codes, in both hardware forms, though the RTL form stores a digit in two bits.
    """
    return in_bram(layer.weights.size * weight_bits(layer), fold.rom)

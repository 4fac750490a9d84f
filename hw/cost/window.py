"""The price of a parallel unit's window: crq_window, the operands out of its registers, and the steps of a pixel."""

from __future__ import annotations

from crq.hw.cost.constants import multiplexer, weighted
from crq.hw.cost.primitives import bram18, lutram_banks
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.windows import Window


def window_price(slide: Window, bits: int, family: str = "xcup") -> Resources:
    """Line buffers, registers and the counters of a position."""
    (span_h, span_w), width = slide.span, slide.image.c * bits
    registers = Resources(ff=span_h * span_w * width)
    lines = Resources()
    if span_h > 1:
        columns, row = slide.padded[1], (span_h - 1) * width
        in_block = slide.line_bits(bits) >= BRAM_BITS
        if in_block:
            lines = Resources(bram18=bram18(columns, row, family))
        else:
            lines = lutram_banks(columns, row, family, single=span_h == 2)
    copied = clog2(slide.padded[1]) if lines.lutram and span_h > 2 else 0  # the address of LUTRAM is kept twice
    control = Resources(
        logic=weighted("window", window_features(slide, bits), family), ff=position_bits(slide) + 1 + copied
    )
    return registers.plus(lines, control)


def position_bits(slide: Window) -> int:
    """Bits of the counters of rows and columns, and of those still to come before a window completes."""
    waits = sum(clog2(max(pair)) for pair in zip(slide.span, slide.stride, strict=True))
    rows, columns = slide.padded
    return clog2(rows) + clog2(columns) + waits if waits or any(slide.pads) else 0


def window_features(slide: Window, bits: int) -> tuple[float, ...]:
    """What the LUTs of the control grow with: the position; padding gates every bit of a pixel."""
    padded = any(slide.pads)
    return 1, position_bits(slide), padded * slide.image.c * bits, padded * position_bits(slide)


def steps_price(chunks: int, blocks: int, family: str = "xcup") -> Resources:
    """crq_steps: counters of chunks, blocks and, where the two do not join to one number, the address."""
    if chunks == blocks == 1:
        return Resources()
    _, bits, counted = features = steps_features(chunks, blocks)
    return Resources(logic=weighted("steps", features, family), ff=int(bits + counted))


def steps_features(chunks: int, blocks: int) -> tuple[float, ...]:
    """What the LUTs of crq_steps grow with: bits of chunks and blocks, and of an address counted beside them."""
    counted = chunks > 1 and blocks > 1 and chunks != 1 << clog2(chunks)
    return chunks * blocks > 1, clog2(chunks) + clog2(blocks), counted * clog2(chunks * blocks)


def select_price(bits: int, inputs: int, family: str = "xcup") -> Resources:
    """crq_select: a registered multiplexer."""
    return Resources(logic=bits * multiplexer(inputs, family), ff=bits)

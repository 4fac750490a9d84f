"""The price of units without sums of products: pools, thresholds and sums on streams, concat, shift."""

from __future__ import annotations

from typing import NamedTuple

from crq.hw.cost.constants import NEGATE_LUT4, comparator, kept_maximum, maxima, multiplexer, weighted
from crq.hw.cost.lanes import paired
from crq.hw.cost.primitives import lutram_banks, memory
from crq.hw.cost.resources import Resources
from crq.hw.cost.ring import ring_parts
from crq.hw.cost.stages import output_register, rounded
from crq.hw.cost.thresholds import block_constants, table_lanes
from crq.hw.cost.window import select_price, steps_price, window_price
from crq.hw.dataflow.bits import as_bits, clog2, signed_width
from crq.hw.dataflow.memory import in_bram
from crq.hw.dataflow.progressions import rounding
from crq.hw.dataflow.stages import code_table
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.dataflow.windows import window
from crq.hw.ir.layers import Bias, Enlarge, Format, GlobalSum, Negate, Threshold

Parts = dict[str, Resources]


def pool_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """The largest value of each channel's window."""
    bits = unit.output.format.bits
    if fold.form == FOLDED:
        keep = Resources(logic=fold.pe * kept_maximum(bits, family) + 2, ff=fold.pe * bits + 1)
        return {**ring_parts(unit, fold, family), "lanes": keep}
    slide, blocks = window(unit), unit.output.shape.c // fold.pe
    taps = slide.span[0] * slide.span[1]
    return {
        "window": window_price(slide, bits, family),
        "operands": select_price(taps * fold.pe * bits, blocks, family),
        "lanes": Resources(logic=maxima(taps, bits, family) * fold.pe),
        "control": steps_price(1, blocks, family).plus(Resources(ff=1)),
        "output": output_register(fold.pe * bits, family),
    }


def element_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """A beat per cycle: sums, then thresholds, then the register of the result."""
    parts = {} if isinstance(unit.layer, Threshold) else sum_parts(unit, fold, family)
    quantizer = unit.quantizer
    if quantizer is not None:
        parts["thresholds"] = code_parts(quantizer, fold.pe, family)
    handshake = Resources(logic=2 * (len(unit.inputs) - 1))
    return {**parts, "output": output_register(fold.pe * unit.output.format.bits, family).plus(handshake)}


def code_parts(layer: Threshold, pe: int, family: str = "xcup") -> Resources:
    """Thresholds on a stream: rounded where they are a power of two."""
    found = code_table(layer)
    plain = rounding(found)
    if plain is not None:
        return rounded(found, plain, pe, family)
    lanes = table_lanes(found, pe, family)
    return lanes.plus(Resources(ff=found.bits)) if found.searched else lanes  # valid waits with the search


def sum_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """crq_add, and the constants of a block of channels."""
    layer, x = unit.layer, unit.inputs[0].format
    out, blocks = layer.output.format.bits, unit.output.shape.c // fold.pe
    if isinstance(layer, Negate):
        signs = (layer.signs < 0).reshape(blocks, fold.pe)
        each = NEGATE_LUT4 * (x.bits + 1) if family == "ecp5" else x.bits - 1
        return {"adders": Resources(logic=fold.pe * each), "constants": block_constants(signs, family)}
    if isinstance(layer, Bias):
        values = layer.values
        y = Format(signed_width(int(values.min()), int(values.max())), True)
        constants = block_constants(as_bits(values.reshape(blocks, fold.pe), y.bits), family)
        return {"adders": Resources(logic=adder_bits(fold.pe, x, y, out, family)), "constants": constants}
    return {"adders": Resources(logic=adder_bits(fold.pe, x, unit.inputs[1].format, out, family))}


def adder_bits(lanes: int, x: Format, y: Format, out: int, family: str = "xcup") -> int:
    """LUTs of `lanes` adders; on ECP5 a pair of them for every two bits of a sum."""
    return lanes * (paired(out) if family == "ecp5" else overlap(x, y, out))


def overlap(x: Format, y: Format, out: int) -> int:
    """Bits of an adder in which both operands vary; the carry out needs none."""
    return min(x.bits if not x.signed else out, y.bits if not y.signed else out, max(x.bits, y.bits), out)


def global_sum_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """crq_global_sum: an adder per lane, and the sums of the other blocks in a memory."""
    assert isinstance(unit.layer, GlobalSum)
    blocks, pixels = unit.output.shape.c // fold.pe, unit.layer.input.shape.pixels
    return {"sums": global_sum_price(fold.pe, blocks, pixels, unit.output.format.bits, family)}


def global_sum_price(pe: int, blocks: int, pixels: int, out: int, family: str = "xcup") -> Resources:
    stored = lutram_banks(blocks, pe * out, family) if blocks > 1 else Resources(ff=pe * out)
    logic = weighted("global_sum", global_sum_features(pe * out, blocks, pixels), family)
    return stored.plus(Resources(logic=logic, ff=clog2(pixels) + 2 * clog2(blocks) + 1 + pe * out))


def global_sum_features(width: int, blocks: int, pixels: int) -> tuple[float, ...]:
    """What the LUTs of crq_global_sum grow with: its adders and the counters of pixels and blocks."""
    return width, 1, clog2(pixels), clog2(blocks)


def concat_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """Whole pixels joined are wires; beats in turn take a counter and a multiplexer."""
    inputs = len(unit.inputs)
    if fold.pe == unit.output.shape.c:
        return {"handshake": Resources(logic=inputs)}
    beats = unit.output.shape.c // fold.pe
    each = multiplexer(inputs, family) + (family == "ecp5")  # where whose turn it is does not fit into the LUT
    logic = fold.pe * unit.output.format.bits * each + 2 * inputs + clog2(beats) + 1
    return {"handshake": Resources(logic=logic, ff=clog2(beats))}


class Block(NamedTuple):
    """The parameters of crq_enlarge, in small letters."""

    lanes: int
    bits: int
    parts: int
    words: int
    columns: int
    factor_h: int
    factor_w: int

    @property
    def depth(self) -> int:
        return (self.columns if self.factor_h > 1 else 1) * self.words

    @property
    def width(self) -> int:
        return self.lanes * self.parts * self.bits

    @property
    def block(self) -> bool:
        return in_bram(self.depth * self.width)

    @property
    def counters(self) -> tuple[int, ...]:
        """What its counters count to: words, columns and rows of a block; and columns, where a row comes again."""
        return self.words, self.factor_w, self.factor_h, self.columns if self.factor_h > 1 else 1


def enlarge_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """crq_enlarge: a memory of one row, its counters, and the choice of a part."""
    layer = unit.layer
    assert isinstance(layer, Enlarge)
    words = unit.output.shape.c // fold.pe
    block = Block(fold.pe, unit.output.format.bits, layer.parts, words, layer.input.shape.w, *layer.factor)
    return {"block": enlarge_price(block, family)}


def enlarge_price(b: Block, family: str = "xcup") -> Resources:
    stored = memory(b.depth, b.width, family) if b.depth > 1 else Resources(ff=b.width)
    part, out = clog2(b.parts), b.lanes * b.bits
    first = clog2(b.depth) if b.factor_h > 1 and b.columns > 1 else 0
    registers = sum(map(clog2, b.counters)) + first + 1 + out + b.block * (1 + part)
    if b.factor_h > 1 and b.factor_w & (b.factor_w - 1):
        registers += part  # the first part of a row of a block, which else is the row's number
    logic = weighted("enlarge", enlarge_features(b, family), family)
    return stored.plus(Resources(logic=logic, ff=registers))


def enlarge_features(b: Block, family: str) -> tuple[float, ...]:
    """What its LUTs grow with: counters, the address, what leaves, the memory's words, the choice of a part."""
    out, address = b.lanes * b.bits, clog2(b.depth) if b.factor_h > 1 and b.columns > 1 else 0
    choice = out * multiplexer(b.parts, family)
    banks = b.width * max(0, clog2(b.depth) - 4) * (not b.block)  # of 16 words, where LUTs have four inputs
    return 1, sum(map(clog2, b.counters)), address, out, b.width * (not b.block and b.depth > 1), choice, banks


def arg_max_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """crq_argmax: SIMD channels and the best so far are compared in pairs, and where the greater came from is kept."""
    bits, place = unit.sources[0].format.bits, unit.output.format.bits
    beats = unit.sources[0].shape.c // fold.simd
    tree = Resources(logic=first_luts(fold.simd, bits, family))
    if beats == 1:
        return {"lanes": tree, "output": Resources(logic=1, ff=place + 1)}
    keep = Resources(logic=first_luts(2, bits, family) + 2 * place + clog2(beats) + 4, ff=bits + 3 * place + 1)
    return {"lanes": tree.plus(keep, Resources(ff=clog2(beats)))}


def first_luts(numbers: int, bits: int, family: str) -> float:
    """crq_first: a comparison, a choice and a bit of the place per pair (measured for xcup: within 8%)."""
    return (numbers - 1) * (comparator(bits, family) + bits + 1.5)


def shift_parts(unit: Unit, fold: Fold, family: str = "xcup") -> Parts:
    """A shift is wires."""
    return {"handshake": Resources()}

"""SystemVerilog of the units without a MAC: pools, thresholds and sums on streams, concat, shift."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crq.hw.dataflow.bits import clog2, signed_width
from crq.hw.dataflow.memory import BRAM_BITS, in_bram, stored
from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.progressions import Rounding, rounding
from crq.hw.dataflow.stages import code_table
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.dataflow.windows import window
from crq.hw.ir.layers import Add, Bias, Enlarge, Format, GlobalSum, IntArray, MaxPool, Negate, Shift, Threshold
from crq.hw.rtl.sequential import round_lanes
from crq.hw.rtl.stages import output
from crq.hw.rtl.thresholds import compare_lanes
from crq.hw.rtl.verilog import Design, constant, held_back, instance, slices, words
from crq.hw.rtl.window import ring_instance, window_instance


def shift(unit: Unit, fold: Fold, design: Design) -> str:
    """A left shift is wires."""
    assert isinstance(unit.layer, Shift)
    parts = [shifted(unit.layer, "in0_data", c) for c in reversed(range(fold.pe))]
    return (
        "  assign out_valid = in0_valid;\n  assign in0_ready = out_ready;\n"
        f"  assign out_data = {{{', '.join(parts)}}};\n  wire unused_shift = clk && rst && (&in0_data);\n"
    )


def concat(unit: Unit, fold: Fold, design: Design) -> str:
    """Joins whole pixels of all inputs, or gives their beats in turn; each is widened to the output's format."""
    out = unit.output.format.bits
    wide = []
    for i, tensor in enumerate(unit.sources):
        beat = tensor.shape.c if fold.pe == unit.output.shape.c else fold.pe
        lanes = [widened(f"in{i}_data", c, tensor.format.bits, out, tensor.format.signed) for c in range(beat)]
        wide.append(", ".join(reversed(lanes)))
    if fold.pe != unit.output.shape.c:
        return _in_turn(unit, fold, wide)
    inputs = range(len(wide))
    text = f"  assign out_valid = {' && '.join(f'in{i}_valid' for i in inputs)};\n"
    text += f"  assign out_data = {{{', '.join(reversed(wide))}}};\n"
    text += "".join(f"  assign in{i}_ready = out_ready && out_valid;\n" for i in inputs)
    return text + "  wire unused_concat = clk && rst;\n"


def _in_turn(unit: Unit, fold: Fold, wide: list[str]) -> str:
    ends = np.cumsum([t.shape.c // fold.pe for t in unit.sources]).tolist()
    bits = clog2(ends[-1])
    text = f"""  logic [{bits - 1}:0] beat;
  always_ff @(posedge clk) begin
    if (rst) beat <= '0;
    else if (out_valid && out_ready) beat <= beat == {bits}'d{ends[-1] - 1} ? '0 : beat + 1'b1;
  end
"""
    starts = [0, *ends[:-1]]
    for i, (first, end) in enumerate(zip(starts, ends, strict=True)):
        low = f"beat >= {bits}'d{first}" if first else "1'b1"
        high = f"beat < {bits}'d{end}" if end < 1 << bits else "1'b1"
        text += f"  wire turn{i} = {low} && {high};\n  assign in{i}_ready = out_ready && turn{i};\n"
    valid = " || ".join(f"(turn{i} && in{i}_valid)" for i in range(len(wide)))
    choice = "".join(f"turn{i} ? {{{part}}} : " for i, part in enumerate(wide[:-1]))
    return text + f"  assign out_valid = {valid};\n  assign out_data = {choice}{{{wide[-1]}}};\n"


def widened(source: str, element: int, bits: int, out: int, signed: bool) -> str:
    """One element of a vector, sign or zero extended to `out` bits."""
    low, more = element * bits, max(0, out - bits)
    top = f"{{{more}{{{source}[{low + bits - 1}]}}}}, " if signed else f"{more}'b0, "
    return (top if more else "") + f"{source}[{low}+:{min(bits, out)}]"


def shifted(layer: Shift, source: str, element: int) -> str:
    """One element of a vector in the format of a shift's result."""
    x, out = layer.input.format, layer.output.format.bits
    zeros = f", {layer.bits}'b0" if layer.bits else ""
    return widened(source, element, x.bits, out - layer.bits, x.signed) + zeros


def max_pool(unit: Unit, fold: Fold, design: Design) -> str:
    """The largest value of each channel's window, PE channels at once."""
    assert isinstance(unit.layer, MaxPool)
    assert unit.layer.input.format == unit.output.format
    return _pool_folded(unit, fold) if fold.form == FOLDED else _pool_parallel(unit, fold)


def _pool_folded(unit: Unit, fold: Fold) -> str:
    """Taps come one after the other out of a ring of rows."""
    fmt = unit.output.format
    width, steps = fold.pe * fmt.bits, unit.reuse_factor(fold)
    lowest = sum(1 << (p * fmt.bits + fmt.bits - 1) for p in range(fold.pe)) if fmt.signed else 0
    text = "  wire done;\n  wire en = !done || out_ready;\n  wire valid, first, last;\n"
    text += f"  wire [{width - 1}:0] x;\n  wire [{max(1, clog2(steps)) - 1}:0] address;\n"
    text += ring_instance(unit, fold, width, f"{lowest:x}") + "  wire unused_address = &address;\n"
    held, x = held_back(width, "x", "en", fold.fetch)
    begins, first = held_back(1, "first", "en", fold.fetch)
    text += f"{held}{begins}  logic [{width - 1}:0] best;\n  wire [{width - 1}:0] next;\n"
    for p in range(fold.pe):
        own = f"[{p * fmt.bits}+:{fmt.bits}]"
        wins = f"$signed({x}{own}) > $signed(best{own})" if fmt.signed else f"{x}{own} > best{own}"
        text += f"  assign next{own} = {first} || {wins} ? {x}{own} : best{own};\n"
    text += "  always_ff @(posedge clk) if (en) best <= next;\n"
    text += instance("crq_delay", "control", {"WIDTH": 1, "DEPTH": 1 + fold.fetch}, {
        "clk": "clk", "rst": "rst", "en": "en", "d": "valid && last", "q": "done"})  # fmt: skip
    return text + "  assign out_valid = done;\n  assign out_data = best;\n"


def _pool_parallel(unit: Unit, fold: Fold) -> str:
    """A window in registers whose taps go through a tree of maxima."""
    slide, fmt = window(unit), unit.output.format
    blocks, taps = unit.output.shape.c // fold.pe, slide.span[0] * slide.span[1]
    lowest = str(1 << (fmt.bits - 1)) if fmt.signed else "0"
    bb, width = max(1, clog2(blocks)), fold.pe * taps * fmt.bits
    text = "  wire free;\n  wire en = free;\n  wire active, last, first_chunk, last_chunk;\n"
    text += f"  wire chunk;\n  wire [{bb - 1}:0] block, address;\n"
    text += window_instance(slide, fmt.bits, lowest, "in0")
    text += instance("crq_steps", "steps", {"CHUNKS": 1, "BLOCKS": blocks}, {
        "clk": "clk", "rst": "rst", "go": "en && active", "chunk": "chunk", "block": "block", "address": "address",
        "first_chunk": "first_chunk", "last_chunk": "last_chunk", "last": "last"})  # fmt: skip
    text += "  wire unused_steps = &{chunk, address, first_chunk, last_chunk};\n"
    channels = slide.image.c
    elements = [t * channels + b * fold.pe + p for b in range(blocks) for p in range(fold.pe) for t in range(taps)]
    text += f"  wire [{width - 1}:0] operands;\n  wire [{fold.pe * fmt.bits - 1}:0] largest;\n"
    text += instance("crq_select", "select", {"WIDTH": width, "N": blocks}, {
        "clk": "clk", "en": "en", "d": slices("window", elements, fmt.bits), "sel": "block",
        "q": "operands"})  # fmt: skip
    for p in range(fold.pe):
        text += instance("crq_max", f"max{p}", {"N": taps, "BITS": fmt.bits, "SIGNED": int(fmt.signed)}, {
            "d": f"operands[{p * taps * fmt.bits}+:{taps * fmt.bits}]",
            "q": f"largest[{p * fmt.bits}+:{fmt.bits}]"})  # fmt: skip
    text += "  wire valid_max;\n" + instance("crq_delay", "control", {"WIDTH": 1, "DEPTH": 1}, {
        "clk": "clk", "rst": "rst", "en": "en", "d": "active", "q": "valid_max"})  # fmt: skip
    return text + output(fold.pe * fmt.bits, "valid_max", "largest")


def global_sum(unit: Unit, fold: Fold, design: Design) -> str:
    """A beat per cycle is added to the sums of its channels."""
    layer = unit.layer
    assert isinstance(layer, GlobalSum)
    fmt = layer.input.format
    return instance("crq_global_sum", "sum", {
        "PE": fold.pe, "BLOCKS": unit.output.shape.c // fold.pe, "PIXELS": layer.input.shape.pixels, "BITS": fmt.bits,
        "SIGNED": int(fmt.signed), "OUT": unit.output.format.bits}, {
        "clk": "clk", "rst": "rst", "in_valid": "in0_valid", "in_ready": "in0_ready", "in_data": "in0_data",
        "out_valid": "out_valid", "out_ready": "out_ready", "out_data": "out_data"})  # fmt: skip


def arg_max(unit: Unit, fold: Fold, design: Design) -> str:
    """SIMD channels of a pixel per cycle are compared with the best so far."""
    fmt, channels = unit.sources[0].format, unit.sources[0].shape.c
    return instance("crq_argmax", "argmax", {
        "LANES": fold.simd, "BEATS": channels // fold.simd, "BITS": fmt.bits, "SIGNED": int(fmt.signed),
        "OUT": unit.output.format.bits}, {
        "clk": "clk", "rst": "rst", "in_valid": "in0_valid", "in_ready": "in0_ready", "in_data": "in0_data",
        "out_valid": "out_valid", "out_ready": "out_ready", "out_data": "out_data"})  # fmt: skip


def enlarge(unit: Unit, fold: Fold, design: Design) -> str:
    """A beat of a block's pixel per cycle, out of a memory of one row."""
    layer = unit.layer
    assert isinstance(layer, Enlarge)
    assert layer.input.format == unit.output.format
    rows, columns = layer.factor
    bits, words = unit.output.format.bits, unit.output.shape.c // fold.pe
    depth = (layer.input.shape.w if rows > 1 else 1) * words
    return instance("crq_enlarge", "enlarge", {
        "LANES": fold.pe, "BITS": bits, "PARTS": layer.parts, "WORDS": words, "COLUMNS": layer.input.shape.w,
        "FACTOR_H": rows, "FACTOR_W": columns, "BLOCK": int(in_bram(depth * fold.pe * layer.parts * bits))}, {
        "clk": "clk", "rst": "rst", "in_valid": "in0_valid", "in_ready": "in0_ready", "in_data": "in0_data",
        "out_valid": "out_valid", "out_ready": "out_ready", "out_data": "out_data"})  # fmt: skip


def element(unit: Unit, fold: Fold, design: Design) -> str:
    """Threshold, add, bias and negation: a beat per cycle."""
    layer, streams = unit.layer, range(len(unit.inputs))
    text = f"  wire free;\n  wire step = {' && '.join(f'in{i}_valid' for i in streams)};\n"
    for i in streams:
        text += f"  assign in{i}_ready = free{' && step' if len(streams) > 1 else ''};\n"
    bits, lanes, latency = unit.output.format.bits, fold.pe, 0
    if isinstance(layer, Threshold):
        more, latency = _thresholds(unit, fold, design, layer, "in0_data", "results")
    elif isinstance(layer, Add) and unit.threshold is not None:
        more = f"  wire [{lanes * layer.output.format.bits - 1}:0] sums;\n" + _sum(unit, fold, design, "sums")
        coded, latency = _thresholds(unit, fold, design, unit.threshold, "sums", "results")
        more += coded
    else:
        more = _sum(unit, fold, design, "results")
    text += f"  wire [{lanes * bits - 1}:0] results;\n{more}"
    return text + output(lanes * bits, "step", "results", latency)


def _thresholds(unit: Unit, fold: Fold, design: Design, layer: Threshold, source: str, target: str) -> tuple[str, int]:
    found = code_table(layer)
    lanes = CodeLanes(bounded(unit.name), found, rounding(found), fold.pe, fold.quick)
    return lanes.text(design, source, layer.input.format, target, "free", "step")


class CodeLanes(NamedTuple):
    """`lanes` codes of a pixel: rounded if `plain`, else compared or searched; `split`: registers behind
    comparators or in front of a rounding."""

    name: str
    found: Table | Ramp
    plain: Rounding | None
    lanes: int
    split: int = 0

    def text(
        self, design: Design, source: str, x: Format, target: str, en: str, advance: str
    ) -> tuple[str, int]:  # fmt: skip
        """Verilog from the vector `source` of format `x` to the vector `target`, and its latency; `advance` as in
        compare_lanes."""
        w = self.found.width
        parts = [widened(source, p, x.bits, w, x.signed) for p in reversed(range(self.lanes))]
        text = f"  wire [{self.lanes * w - 1}:0] wide = {{{', '.join(parts)}}};\n"
        if self.plain is not None:
            held, source = held_back(self.lanes * w, "wide", en, self.split)
            return text + held + round_lanes(self.found, self.plain, self.lanes, source, target), self.split
        lanes, latency = compare_lanes(
            design, self.name, self.found, self.lanes, "wide", target, en, advance, self.split
        )
        return text + lanes, latency


def _sum(unit: Unit, fold: Fold, design: Design, target: str) -> str:
    layer, x = unit.layer, unit.inputs[0].format
    if isinstance(layer, Add):
        return add_lanes(layer, fold.pe, "in0_data", "in1_data", target)
    assert isinstance(layer, (Bias, Negate))
    out, blocks = layer.output.format.bits, unit.output.shape.c // fold.pe
    values = layer.values if isinstance(layer, Bias) else (layer.signs < 0).astype(np.int64)
    bits = signed_width(int(values.min()), int(values.max())) if isinstance(layer, Bias) else 1
    parameters = {
        "LANES": fold.pe, "XB": x.bits, "XS": int(x.signed), "OUT": out, "YB": bits,
        "YS": int(isinstance(layer, Bias)), "NEGATE": int(isinstance(layer, Negate)),
    }  # fmt: skip
    text = _constants(bounded(unit.name), values.reshape(blocks, fold.pe), bits, design)
    return text + instance("crq_add", "add", parameters, {"x": "in0_data", "y": "constants", "q": target})


def add_lanes(layer: Add, lanes: int, x: str, y: str, target: str) -> str:
    """`lanes` sums of the vectors `x` and `y`."""
    one, other = (t.format for t in layer.inputs)
    parameters = {
        "LANES": lanes, "XB": one.bits, "XS": int(one.signed), "OUT": layer.output.format.bits, "YB": other.bits,
        "YS": int(other.signed), "NEGATE": 0,
    }  # fmt: skip
    return instance("crq_add", "add", parameters, {"x": x, "y": y, "q": target})


def _constants(name: str, rows: IntArray, bits: int, design: Design) -> str:
    """The wire `constants`: one word per lane for the current block of channels."""
    rows = stored(rows)
    blocks, width = len(rows), rows.shape[1] * bits
    if blocks == 1:
        value = ", ".join(constant(int(v), bits) for v in rows[0][::-1])
        return f"  wire [{width - 1}:0] constants = {{{value}}};\n"
    file = f"{name}_c.mem"
    design.memories[file] = words(rows, bits)
    return f"  wire [{width - 1}:0] constants;\n" + instance("crq_block_rom", "constant_rom", {
        "WIDTH": width, "BLOCKS": blocks, "BLOCK": int(width * blocks >= BRAM_BITS), "FILE": f'"{file}"'}, {
        "clk": "clk", "rst": "rst", "en": "free", "advance": "step", "q": "constants"})  # fmt: skip

"""SystemVerilog of the units without a MAC: pools, thresholds and sums on streams, concat, shift."""

from __future__ import annotations

import numpy as np

from hw.dataflow.bits import clog2, signed_width
from hw.dataflow.memory import BRAM_BITS
from hw.dataflow.names import bounded
from hw.dataflow.thresholds import table
from hw.dataflow.units import Fold, Unit
from hw.dataflow.windows import window
from hw.ir.graph import Network
from hw.ir.layers import Bias, GlobalSum, IntArray, MaxPool, Negate, Shift, Threshold
from hw.rtl.thresholds import compare_lanes
from hw.rtl.verilog import Design, constant, instance, slices, words
from hw.rtl.window import window_instance


def shift(network: Network, unit: Unit, fold: Fold, design: Design) -> str:
    """A left shift is wires."""
    layer = unit.layer
    assert isinstance(layer, Shift)
    bits, out = layer.input.format.bits, unit.output.format.bits
    sign = layer.input.format.signed
    extend = out - bits - layer.bits
    parts = []
    for c in reversed(range(unit.output.shape.c)):
        top = f"{{{extend}{{in0_data[{c * bits + bits - 1}]}}}}, " if sign else f"{extend}'b0, "
        parts.append((top if extend > 0 else "") + f"in0_data[{c * bits}+:{min(bits, out - layer.bits)}]"
                     + (f", {layer.bits}'b0" if layer.bits else ""))  # fmt: skip
    return (
        "  assign out_valid = in0_valid;\n  assign in0_ready = out_ready;\n"
        f"  assign out_data = {{{', '.join(parts)}}};\n  wire unused_shift = clk && rst && (&in0_data);\n"
    )


def concat(network: Network, unit: Unit, fold: Fold, design: Design) -> str:
    """Joins the beats of all inputs, widening each to the output's format."""
    out, parts = unit.output.format.bits, []
    for i, tensor in reversed(list(enumerate(unit.inputs))):
        bits = tensor.format.bits
        for c in reversed(range(tensor.shape.c)):
            parts.append(widened(f"in{i}_data", c, bits, out, tensor.format.signed))
    valid = " && ".join(f"in{i}_valid" for i in range(len(unit.inputs)))
    text = f"  assign out_valid = {valid};\n  assign out_data = {{{', '.join(parts)}}};\n"
    for i in range(len(unit.inputs)):
        text += f"  assign in{i}_ready = out_ready && out_valid;\n"
    return text + "  wire unused_concat = clk && rst;\n"


def widened(source: str, element: int, bits: int, out: int, signed: bool) -> str:
    """One element of a vector, sign or zero extended to `out` bits."""
    low, more = element * bits, max(0, out - bits)
    top = f"{{{more}{{{source}[{low + bits - 1}]}}}}, " if signed else f"{more}'b0, "
    return (top if more else "") + f"{source}[{low}+:{min(bits, out)}]"


def max_pool(network: Network, unit: Unit, fold: Fold, design: Design) -> str:
    """A window whose taps go through a tree of maxima, PE channels per step."""
    assert isinstance(unit.layer, MaxPool)
    slide = window(network, unit)
    fmt, out = unit.layer.input.format, unit.output.format
    blocks, taps = unit.output.shape.c // fold.pe, slide.span[0] * slide.span[1]
    lowest = str(1 << (fmt.bits - 1)) if fmt.signed else "0"
    bb, width = max(1, clog2(blocks)), fold.pe * taps * fmt.bits
    text = "  wire en = out_ready || !out_valid;\n  wire active, last, first_chunk, last_chunk;\n"
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
    text += "  wire valid_max, last_max;\n" + instance("crq_delay", "control", {"WIDTH": 2, "DEPTH": 1}, {
        "clk": "clk", "rst": "rst", "en": "en", "d": "{active, active && last}",
        "q": "{valid_max, last_max}"})  # fmt: skip
    assert fmt == out
    return text + collect(fold.pe * out.bits, blocks, "valid_max", "last_max", "largest")


def collect(width: int, blocks: int, push: str, last: str, data: str) -> str:
    return instance("crq_collect", "collect", {"WIDTH": width, "BLOCKS": blocks}, {
        "clk": "clk", "rst": "rst", "en": "en", "push": push, "last": last, "d": data,
        "out_valid": "out_valid", "out_data": "out_data"})  # fmt: skip


def element(network: Network, unit: Unit, fold: Fold, design: Design) -> str:
    """Threshold, add, bias, negation and global sum: PE channels of a beat per cycle."""
    layer, out = unit.layer, unit.output.format
    channels = network.carried(layer.input).shape.c
    blocks = channels // fold.pe
    bb = max(1, clog2(blocks))
    streams = len(unit.inputs)
    valid = " && ".join(f"in{i}_valid" for i in range(streams))
    text = f"  wire en = out_ready || !out_valid;\n  wire step = {valid};\n  wire last, ready;\n"
    text += f"  wire [{bb - 1}:0] block;\n"
    text += instance("crq_element", "sequencer", {"BLOCKS": blocks}, {
        "clk": "clk", "rst": "rst", "en": "en", "in_valid": "step", "in_ready": "ready", "block": "block",
        "last": "last"})  # fmt: skip
    for i, tensor in enumerate(unit.inputs):
        width = fold.pe * tensor.format.bits
        others = " && step" if streams > 1 else ""
        text += f"  assign in{i}_ready = ready{others};\n  wire [{width - 1}:0] lanes{i};\n"
        text += instance("crq_mux", f"mux{i}", {"WIDTH": width, "N": blocks}, {
            "d": f"in{i}_data", "sel": "block", "q": f"lanes{i}"})  # fmt: skip
    text += "  wire unused_block = &block;\n"
    if isinstance(layer, GlobalSum):
        fmt = layer.input.format
        return text + instance("crq_global_sum", "sum", {
            "PE": fold.pe, "BLOCKS": blocks, "PIXELS": layer.input.shape.pixels, "BITS": fmt.bits,
            "SIGNED": int(fmt.signed), "OUT": out.bits}, {
            "clk": "clk", "rst": "rst", "en": "en", "step": "step", "last": "last", "x": "lanes0",
            "out_valid": "out_valid", "out_data": "out_data"})  # fmt: skip
    text += f"  wire [{fold.pe * out.bits - 1}:0] results;\n"
    push, final = "step", "last"
    if isinstance(layer, Threshold):
        more, latency = _threshold(unit, fold, design)
        text += more
        if latency:
            push, final = "valid_code", "last_code"
            text += "  wire valid_code, last_code;\n"
            text += instance("crq_delay", "search", {"WIDTH": 2, "DEPTH": latency}, {
                "clk": "clk", "rst": "rst", "en": "en", "d": "{step, step && last}",
                "q": "{valid_code, last_code}"})  # fmt: skip
    else:
        text += _sum(unit, fold, design, blocks)
    return text + collect(fold.pe * out.bits, blocks, push, final, "results")


def _threshold(unit: Unit, fold: Fold, design: Design) -> tuple[str, int]:
    layer = unit.layer
    assert isinstance(layer, Threshold)
    x = layer.input
    found = table(layer, x.lo, x.hi, np.zeros_like(x.lo))
    bits, w = x.format.bits, found.width
    parts = [widened("lanes0", p, bits, w, x.format.signed) for p in reversed(range(fold.pe))]
    text = f"  wire [{fold.pe * w - 1}:0] wide = {{{', '.join(parts)}}};\n"
    lanes, latency = compare_lanes(design, bounded(unit.name), found, fold.pe, "wide", "step", "results")
    return text + lanes, latency


def _sum(unit: Unit, fold: Fold, design: Design, blocks: int) -> str:
    layer, x = unit.layer, unit.inputs[0].format
    out = unit.output.format.bits
    parameters: dict[str, object] = {"LANES": fold.pe, "XB": x.bits, "XS": int(x.signed), "OUT": out}
    if isinstance(layer, (Bias, Negate)):
        values = layer.values if isinstance(layer, Bias) else (layer.signs < 0).astype(np.int64)
        bits = signed_width(int(values.min()), int(values.max())) if isinstance(layer, Bias) else 1
        parameters |= {"YB": bits, "YS": int(isinstance(layer, Bias)), "NEGATE": int(isinstance(layer, Negate))}
        text, y = _constants(bounded(unit.name), values.reshape(blocks, fold.pe), bits, design), "constants"
    else:
        other = unit.inputs[1].format
        parameters |= {"YB": other.bits, "YS": int(other.signed)}
        text, y = "", "lanes1"
    return text + instance("crq_add", "add", parameters, {"x": "lanes0", "y": y, "q": "results"})


def _constants(name: str, rows: IntArray, bits: int, design: Design) -> str:
    """The wire `constants`: one word per lane for the current block of channels."""
    blocks, width = len(rows), rows.shape[1] * bits
    if blocks == 1:
        value = ", ".join(constant(int(v), bits) for v in rows[0][::-1])
        return f"  wire [{width - 1}:0] constants = {{{value}}};\n"
    file = f"{name}_c.mem"
    design.memories[file] = words(rows, bits)
    return f"  wire [{width - 1}:0] constants;\n" + instance("crq_block_rom", "constant_rom", {
        "WIDTH": width, "BLOCKS": blocks, "BLOCK": int(width * blocks >= BRAM_BITS), "FILE": f'"{file}"'}, {
        "clk": "clk", "rst": "rst", "en": "en", "advance": "step", "q": "constants"})  # fmt: skip

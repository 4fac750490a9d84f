"""SystemVerilog of sequential threshold stages: the codes of a block of channels found one bit per cycle."""

from __future__ import annotations

import numpy as np

from crq.hw.dataflow.bits import clog2, signed_width
from crq.hw.dataflow.progressions import Rounding, SearchKind, ramp
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.errors import HwError
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.verilog import Design, instance, text_of, words

STAGE = """module codes_{name} (
    input logic clk, input logic rst, input logic load, output logic free, input logic [{sum_bits}-1:0] sums,
    output logic out_valid, input logic out_ready, output logic [{code_bits}-1:0] out_data
);
{body}endmodule
"""


def sequential_stage(
    design: Design, name: str, table: Table | Ramp, lanes: int, searchers: int, kind: SearchKind, sums: str = "sums",
    quick: int = 0,
) -> str:  # fmt: skip
    """An instance between the wires clk, rst, load, free, `sums`, out_valid, out_ready and out_data.

    `sums` has `lanes` sums of table.width bits; the blocks of channels come in rotation. Each of the `searchers` finds
    the codes of ceil(lanes / searchers) neighbouring lanes. The module codes_`name` and the memories `name`_s0.mem and
    on are added to `design`. `quick`: entries are registered before they are compared, for a fast clock. Raises
    `HwError` if `kind` is "ramp" and the table is no progression.
    """
    each = -(-lanes // searchers)
    used = -(-lanes // each)
    along = ramp(table) if kind == "ramp" else None
    if kind == "ramp" and along is None:
        raise HwError(f"{name}: these thresholds are no arithmetic progression; expected the kind lut or bram")
    blocks, w, bits = table.channels // lanes, table.width, table.bits
    spare = each * used - lanes
    padded = f"{{{spare * w}'b0, sums}}" if spare else "sums"
    text = f"  wire fetch, step, done;\n  wire [{max(1, clog2(blocks << clog2(each))) - 1}:0] channel;\n"
    text += f"  wire [{each * used * w - 1}:0] lane_sums = {padded};\n"
    text += f"  wire [{each * used * bits - 1}:0] lane_codes;\n"
    text += clamp(along, lanes, f"lane_codes[{lanes * bits - 1}:0]", "out_data")
    if spare:
        text += f"  wire unused_lanes = &lane_codes[{each * used * bits - 1}:{lanes * bits}];\n"
    text += instance("crq_take", "take", {
        "LANES": each, "BITS": bits, "BLOCKS": blocks, "QUICK": int(quick and bits > 1)}, _ports(
        "clk rst load free fetch step done channel out_valid out_ready"))  # fmt: skip
    for s in range(used):
        text += _searcher(design, name, table, along, kind, lanes, each, s, quick)
    made = STAGE.format(name=name, sum_bits=lanes * w, code_bits=lanes * bits, body=text)
    summary = f"Codes of {lanes} channels at once by {kind}, {used} searcher(s), each {bits} cycles per channel."
    design.sources[f"codes_{name}.sv"] = text_of(made, summary, kept=False)
    ports = _ports("clk rst load free out_valid out_ready out_data") | {"sums": sums}
    return instance(f"codes_{name}", "codes", {}, ports)


def _searcher(
    design: Design, name: str, table: Table | Ramp, along: Ramp | None, kind: SearchKind, lanes: int, each: int, s: int,
    quick: int,
) -> str:  # fmt: skip
    """Searcher `s` with its lanes; its memory goes into `design`."""
    w, bits, file = table.width, table.bits, f"{name}_s{s}.mem"
    first = bits if along is not None and along.starts else 0
    text = f"  wire [{w - 1}:0] x{s};\n  wire [{bits - 1}:0] node{s};\n  wire found{s};\n"
    text += f"  wire [{max(1, first) - 1}:0] below{s};\n"
    own = {"lane": f"channel[{max(1, clog2(each)) - 1}:0]", "sums": f"lane_sums[{s * each * w}+:{each * w}]",
           "x": f"x{s}", "node": f"node{s}", "found": f"found{s}", "below": f"below{s}",
           "codes": f"lane_codes[{s * each * bits}+:{each * bits}]"}  # fmt: skip
    text += instance("crq_codes", f"codes{s}", {
        "LANES": each, "WIDTH": w, "BITS": bits, "SIGNED": int(table.signed), "FIRST": first},
        _ports("clk load fetch step done") | own)  # fmt: skip
    channels = _channels(table.channels // lanes, lanes, each, s)
    parameters: dict[str, object] = {"WIDTH": w, "BITS": bits, "CHANNELS": len(channels), "FILE": f'"{file}"',
                                     "AHEAD": int(quick and bits > 1)}  # fmt: skip
    ports = _ports("clk fetch step channel") | {"x": f"x{s}", "found": f"found{s}"}
    if along is None:
        assert isinstance(table, Table)
        ahead = quick and bits > 1 and kind == "lut"
        design.memories[file] = words(_heap(table.rows)[channels].reshape(-1, 2 if ahead else 1), w)
        ports |= {"node": f"node{s}"}
        text += f"  assign below{s} = 1'b0;\n"
        return text + instance("crq_searcher", f"searcher{s}", parameters | {"BLOCK": int(kind == "bram")}, ports)
    design.memories[file] = ramp_words(along, channels)
    parameters |= ramp_parameters(along) | {"RB": along.sum_bits}
    ports |= {"below": f"below{s}"}
    return text + f"  wire unused_node{s} = &node{s};\n" + instance("crq_ramp", f"ramp{s}", parameters, ports)


def ramp_parameters(along: Ramp) -> dict[str, object]:
    """Of crq_ramp and crq_divide."""
    return {
        "F": along.progression.f, "BB": along.b_bits, "DB": along.d_bits, "TIES": int(along.progression.ties),
        "FIRST": along.bits if along.starts else 0,
    }  # fmt: skip


def clamp(along: Ramp | None, lanes: int, codes: str, target: str) -> str:
    """Codes that end before the first or last of their format."""
    if along is None or not along.clamped:
        return f"  assign {target} = {codes};\n"
    p = along.progression
    return instance("crq_clamp", "clamp", {
        "LANES": lanes, "BITS": along.bits, "SIGNED": int(along.signed), "LEAST": p.least, "MOST": p.highest}, {
        "d": codes, "q": target})  # fmt: skip


def round_lanes(table: Table | Ramp, found: Rounding, lanes: int, x: str, code: str) -> str:
    """Verilog of `lanes` rounded codes, combinational, from the vector `x` (table.width bits each) to `code`."""
    lo, hi = int(table.lo.min()) + found.offset, int(table.hi.max()) + found.offset
    return instance("crq_round", "round", {
        "LANES": lanes, "WIDTH": table.width, "BITS": table.bits, "SIGNED": int(table.signed), "SHIFT": found.shift,
        "OFFSET": found.offset, "OB": signed_width(lo, hi)}, {"x": x, "codes": code})  # fmt: skip


def _ports(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


def _channels(blocks: int, lanes: int, each: int, searcher: int) -> IntArray:
    """The channel of each word of a searcher's memory: address {block, lane}. Addresses of no lane repeat a channel."""
    lane = np.minimum(searcher * each + np.minimum(np.arange(1 << clog2(each)), each - 1), lanes - 1)
    return (np.arange(blocks)[:, None] * lanes + lane).ravel()


def _heap(rows: IntArray) -> IntArray:
    """Entries in the order of a binary search: (C, 2**bits), 1 is the root, 2n and 2n + 1 below n; 0 is not read."""
    bits = rows.shape[1].bit_length()
    levels = [rows[:, (1 << (bits - 1 - level)) - 1 :: 1 << (bits - level)] for level in range(bits)]
    return np.concatenate([np.zeros_like(levels[0]), *levels], axis=1)


def ramp_words(found: Ramp, channels: IntArray) -> str:
    """Lines {D, -b - 1}, with ties {D, -b}, of crq_ramp and crq_divide; in front the entries that are always met, if
    some channel has such."""
    mask, along = (1 << found.b_bits) - 1, found.progression
    values = (v[channels].tolist() for v in (along.starts, along.D, along.b))
    # of more than 64 bits, it may be
    return "".join(
        f"{(s << found.d_bits | d) << found.b_bits | (-b - (not along.ties)) & mask:x}\n"
        for s, d, b in zip(*values, strict=True)
    )

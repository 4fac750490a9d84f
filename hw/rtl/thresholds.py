"""SystemVerilog of threshold lanes: compared at once, or searched in pipelined steps."""

from __future__ import annotations

import numpy as np

from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.sequential import clamp, ramp_parameters, ramp_words
from crq.hw.rtl.verilog import Design, instance, literal, words


def lane_masks(found: Table, rows: IntArray) -> tuple[IntArray, IntArray]:
    """(live, high) per entry of the channels `rows` (indices): compared at all; if not, true."""
    entries = found.rows[rows]
    met, never = entries <= found.lo[rows, None], entries > found.hi[rows, None]
    high = met.all(0)
    return np.array(~(high | never.all(0)), np.int64), np.array(high, np.int64)


def compare_lanes(
    design: Design, name: str, found: Table | Ramp, pe: int, x: str, code: str, en: str, advance: str, split: int = 0
) -> tuple[str, int]:
    """Verilog of `pe` lanes from the vector `x` (found.width bits each) to the vector `code`; its latency in cycles.

    `split`: registers behind comparators. `advance` is high when the block of channels at the input is taken, which
    happens in cycles with `en` only.
    """
    if isinstance(found, Ramp):
        return _divide_lanes(design, name, found, pe, x, code, en, advance), found.bits
    blocks = len(found.rows) // pe
    if found.searched:
        return _search_lanes(design, name, found, pe, x, code, en, advance), found.bits
    body, w = "", found.width
    for lane in range(pe):
        channels = np.arange(lane, len(found.rows), pe)
        live, high = lane_masks(found, channels)
        parameters: dict[str, object] = {
            "WIDTH": w, "BITS": found.bits, "SIGNED": int(found.signed), "LIVE": literal(live), "HIGH": literal(high),
            "SPLIT": split,
        }  # fmt: skip
        entries = found.rows[channels]
        source = f"{len(live) * w}'b0"
        if blocks == 1:
            bits = ((entries[0][:, None] >> np.arange(w)) & 1).ravel()
            parameters |= {"FIXED": 1, "FIXED_T": literal(bits)}
        elif live.any():
            kept = entries[:, live == 1]
            file = f"{name}_t{lane}.mem"
            design.memories[file] = words(kept, w)
            rom = {"WIDTH": kept.shape[1] * w, "BLOCKS": blocks, "BLOCK": int(kept.size * w >= BRAM_BITS),
                   "FILE": f'"{file}"'}  # fmt: skip
            body += f"  wire [{kept.shape[1] * w - 1}:0] t{lane};\n"
            body += instance("crq_block_rom", f"thresholds{lane}", rom,
                             {"clk": "clk", "rst": "rst", "en": en, "advance": advance, "q": f"t{lane}"})  # fmt: skip
            place = np.cumsum(live) - 1
            parts = [f"t{lane}[{p * w}+:{w}]" if k else f"{w}'b0" for k, p in zip(live, place, strict=True)]
            source = "{" + ", ".join(reversed(parts)) + "}"
        body += instance("crq_compare", f"compare{lane}", parameters,
                         {"clk": "clk", "en": en, "x": f"{x}[{lane * w}+:{w}]", "t": source,
                          "code": f"{code}[{lane * found.bits}+:{found.bits}]"})  # fmt: skip
    return body, split


def _divide_lanes(design: Design, name: str, found: Ramp, pe: int, x: str, code: str, en: str, advance: str) -> str:
    w, bits, each = found.width, found.bits, found.d_bits + found.b_bits + found.starts * found.bits
    body = f"  wire [{pe * bits - 1}:0] quotients;\n" + clamp(found, pe, "quotients", code)
    if found.channels == pe:
        body += f"  wire unused_{name}_advance = {advance};\n"
    for lane in range(pe):
        lines = ramp_words(found, np.arange(lane, found.channels, pe))
        if found.channels == pe:
            body += f"  wire [{each - 1}:0] line{lane} = {each}'h{lines.strip()};\n"
        else:
            file = f"{name}_d{lane}.mem"
            design.memories[file] = lines
            body += f"  wire [{each - 1}:0] line{lane};\n"
            body += instance("crq_block_rom", f"lines{lane}", {
                "WIDTH": each, "BLOCKS": found.channels // pe, "BLOCK": 0, "FILE": f'"{file}"'}, {
                "clk": "clk", "rst": "rst", "en": en, "advance": advance, "q": f"line{lane}"})  # fmt: skip
        body += instance("crq_divide", f"divide{lane}", {
            "WIDTH": w, "BITS": bits, "SIGNED": int(found.signed), "RB": found.sum_bits, **ramp_parameters(found)}, {
            "clk": "clk", "en": en, "x": f"{x}[{lane * w}+:{w}]", "word": f"line{lane}",
            "code": f"quotients[{lane * bits}+:{bits}]"})  # fmt: skip
    return body


def _search_lanes(design: Design, name: str, found: Table, pe: int, x: str, code: str, en: str, advance: str) -> str:
    blocks, w, bits = len(found.rows) // pe, found.width, found.bits
    bb = max(1, (blocks - 1).bit_length())
    body = f"  logic [{bb - 1}:0] search_block;\n"
    if blocks > 1:
        body += f"""  always_ff @(posedge clk) begin
    if (rst) search_block <= '0;
    else if ({en} && {advance}) search_block <= search_block == {bb}'d{blocks - 1} ? '0 : search_block + 1'b1;
  end
"""
    else:
        body += f"  assign search_block = '0;\n  wire unused_{name}_advance = {advance};\n"
    for lane in range(pe):
        rows = found.rows[lane::pe]
        for step in range(bits):
            picked = rows[:, (1 << (bits - 1 - step)) - 1 :: 1 << (bits - step)].reshape(-1, 1)
            file = f"{name}_s{lane}_{step}.mem"
            design.memories[file] = words(picked, w)
            tag, before = f"{lane}_{step}", f"{lane}_{step - 1}"
            body += f"  wire [{w - 1}:0] x{tag};\n  wire [{bb - 1}:0] b{tag};\n  wire [{step}:0] p{tag};\n"
            ports = {"clk": "clk", "en": en,
                     "x": f"x{before}" if step else f"{x}[{lane * w}+:{w}]",
                     "block": f"b{before}" if step else "search_block",
                     "prefix": f"p{before}" if step else "1'b0",
                     "x_next": f"x{tag}", "block_next": f"b{tag}", "prefix_next": f"p{tag}"}  # fmt: skip
            parameters = {"WIDTH": w, "STEP": step, "BLOCKS": blocks, "BLOCK": int(picked.size * w >= BRAM_BITS),
                          "FILE": f'"{file}"'}  # fmt: skip
            body += instance("crq_search", f"search{tag}", parameters, ports)
        final = f"p{lane}_{bits - 1}"
        flip = f" ^ {bits}'h{1 << (bits - 1):x}" if found.signed else ""
        body += f"  wire unused_{name}_{lane} = &{{x{lane}_{bits - 1}, b{lane}_{bits - 1}}};\n"
        body += f"  assign {code}[{lane * bits}+:{bits}] = {final}{flip};\n"
    return body

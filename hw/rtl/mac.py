"""SystemVerilog of a convolution or dense layer, with its thresholds if it has any."""

from __future__ import annotations

import numpy as np

from hw.dataflow.bits import clog2, signed_width
from hw.dataflow.memory import BRAM_BITS, weights_in_bram
from hw.dataflow.names import bounded
from hw.dataflow.schedule import lane_registers, tree_registers
from hw.dataflow.thresholds import table
from hw.dataflow.units import Fold, Unit
from hw.dataflow.windows import window
from hw.ir.digits import (
    complement_offset,
    complement_range,
    inverted_offset,
    inverted_range,
    lane_bits,
    signed_digits,
)
from hw.ir.graph import Network
from hw.ir.layers import Conv, IntArray, Mac
from hw.rtl.thresholds import compare_lanes
from hw.rtl.verilog import Design, constant, instance, literal, slices, words
from hw.rtl.window import window_instance


def mac(network: Network, unit: Unit, fold: Fold, design: Design) -> str:
    """The body of a convolution's or dense layer's module; its ROMs go into `design`."""
    return MacUnit(network, unit, fold).body(design)


class MacUnit:
    """Facts of one MAC unit under a folding, and its Verilog body."""

    def __init__(self, network: Network, unit: Unit, fold: Fold) -> None:
        assert isinstance(unit.layer, Mac)
        self.unit, self.mac, self.fold, self.name = unit, unit.layer, fold, bounded(unit.name)
        self.slide = window(network, unit)
        self.blocks = unit.output.shape.c // fold.pe
        self.chunks = self.mac.fan_in // fold.simd
        self.steps = self.blocks * self.chunks
        self.digits = signed_digits(self.mac.weights).transpose(0, 2, 3, 1, 4)  # (O, KH, KW, I, digit)
        if self.steps == 1:
            self.offset = inverted_offset(self.mac)
            lo, hi = inverted_range(self.mac)
            if unit.threshold is None:
                lo, hi = np.minimum(lo, lo + self.offset), np.maximum(hi, hi + self.offset)
            self.acc, self.middle = signed_width(int(lo.min()), int(hi.max()) + 1), 0
        else:
            self.offset = complement_offset(self.mac)
            lo, hi = complement_range(self.mac)
            self.acc = lane_bits(self.mac, unit.threshold is not None)
            self.middle = 1 << (self.acc - 1)  # the sums have no sign: with their top bit inverted thresholds see one
        lo, hi, offset = lo - self.middle, hi - self.middle, self.offset + self.middle
        self.table = table(unit.threshold, lo, hi, offset, self.acc) if unit.threshold else None
        self.bits_in = self.mac.input.format.bits
        self.signed_in = self.mac.input.format.signed
        self.bits_out = unit.output.format.bits

    @property
    def n_digits(self) -> int:
        return int(self.digits.shape[-1])

    def taps(self, channel: int) -> list[int]:
        """Window element of each product of an output channel, in the order (ky, kx, input channel)."""
        _, kh, kw, inputs, _ = self.digits.shape
        group = channel // (len(self.digits) // self.mac.groups)
        dh, dw = self.mac.dilation if isinstance(self.mac, Conv) else (1, 1)
        if not isinstance(self.mac, Conv):
            return list(range(inputs))  # a dense layer's window is its input, in streaming order
        columns, channels = self.slide.span[1], self.slide.image.c
        return [
            (y * dh * columns + x * dw) * channels + group * inputs + c
            for y in range(kh) for x in range(kw) for c in range(inputs)
        ]  # fmt: skip

    def body(self, design: Design) -> str:
        text = self.front() + (self.unrolled() if self.steps == 1 else self.folded(design))
        return text + self.back(design)

    def front(self) -> str:
        sizes = {"CHUNKS": self.chunks, "BLOCKS": self.blocks}
        cb, bb, ab = (max(1, clog2(n)) for n in (self.chunks, self.blocks, self.steps))
        text = "  wire en = out_ready || !out_valid;\n  wire active, last, first_chunk, last_chunk;\n"
        text += f"  wire [{cb - 1}:0] chunk;\n  wire [{bb - 1}:0] block;\n  wire [{ab - 1}:0] address;\n"
        text += window_instance(self.slide, self.bits_in, "0", "in0")
        text += instance("crq_steps", "steps", sizes, {
            "clk": "clk", "rst": "rst", "go": "en && active", "chunk": "chunk", "block": "block", "address": "address",
            "first_chunk": "first_chunk", "last_chunk": "last_chunk", "last": "last"})  # fmt: skip
        return text + "  wire unused_steps = &{chunk, block, address, first_chunk};\n"

    # -- weights in ROMs

    def folded(self, design: Design) -> str:
        lanes = self.fold.simd * self.n_digits
        slots, per_slot = self.slots()
        simd_bits = self.fold.simd * self.bits_in
        text = f"  wire [{self.fold.pe * 2 * lanes - 1}:0] weights;\n"
        weights = self.weight_words()
        file = f"{self.name}_w.mem"
        design.memories[file] = words(weights, 1)
        text += instance("crq_rom", "weight_rom", {
            "WIDTH": weights.shape[1], "DEPTH": self.steps, "BLOCK": int(weights_in_bram(self.mac, self.fold)),
            "FILE": f'"{file}"'}, {"clk": "clk", "en": "en", "address": "address", "q": "weights"})  # fmt: skip
        group_blocks = self.group_blocks()
        entries = group_blocks * self.chunks
        text += self.selector(entries, group_blocks)
        for slot in range(slots):
            elements = []
            for gb in range(group_blocks):
                channel = gb * (self.blocks // group_blocks) * self.fold.pe + slot * per_slot
                elements += self.taps(channel)
            text += f"  wire [{simd_bits - 1}:0] operands{slot};\n"
            text += instance("crq_select", f"select{slot}", {"WIDTH": simd_bits, "N": entries}, {
                "clk": "clk", "en": "en", "d": slices("window", elements, self.bits_in), "sel": "sel",
                "q": f"operands{slot}"})  # fmt: skip
        depth = 1 + lane_registers(self.fold.simd, self.n_digits)
        text += "  wire valid_sum, first_sum, last_sum;\n"
        text += instance("crq_delay", "control", {"WIDTH": 3, "DEPTH": depth}, {
            "clk": "clk", "rst": "rst", "en": "en",
            "d": "{active && last_chunk, active && first_chunk, active && last}",
            "q": "{valid_sum, first_sum, last_sum}"})  # fmt: skip
        text += self.start(design)
        text += f"  wire [{self.fold.pe * self.acc - 1}:0] sums;\n"
        for lane in range(self.fold.pe):
            low = lane * 2 * lanes
            text += instance("crq_pe", f"pe{lane}", {
                "SIMD": self.fold.simd, "DIGITS": self.n_digits, "BITS": self.bits_in, "SIGNED": int(self.signed_in),
                "ACC": self.acc, "SINGLE": int(self.chunks == 1), "ZERO": int(self.unit.threshold is not None)}, {
                "clk": "clk", "en": "en", "x": f"operands{lane // per_slot}", "nz": f"weights[{low}+:{lanes}]",
                "neg": f"weights[{low + lanes}+:{lanes}]", "first": "first_sum",
                "start": f"start[{lane * self.acc}+:{self.acc}]",
                "acc": f"sums[{lane * self.acc}+:{self.acc}]"})  # fmt: skip
        return text + self.done(1, "{valid_sum, last_sum}")

    def slots(self) -> tuple[int, int]:
        """(operand words per step, lanes that share one): lanes of different groups read different channels."""
        per_group = len(self.digits) // self.mac.groups
        slots = max(1, self.fold.pe // per_group) if self.mac.groups > 1 else 1
        return slots, self.fold.pe // slots

    def group_blocks(self) -> int:
        return self.mac.groups // self.slots()[0] if self.mac.groups > 1 else 1

    def selector(self, entries: int, group_blocks: int) -> str:
        bits = max(1, clog2(entries))
        if group_blocks == 1:
            return f"  wire [{bits - 1}:0] sel = chunk;\n"
        if group_blocks == self.blocks:
            return f"  wire [{bits - 1}:0] sel = address;\n"
        per = self.blocks // group_blocks
        return (
            f"  wire [31:0] wide_sel = 32'(block) / 32'd{per} * 32'd{self.chunks} + 32'(chunk);\n"
            f"  wire [{bits - 1}:0] sel = wide_sel[{bits - 1}:0];\n"
            f"  wire unused_sel = &wide_sel;\n"
        )

    def weight_words(self) -> IntArray:
        """(steps, PE * 2 * lanes) bits: per lane the non-zero flags of its products, then their signs."""
        digits = self.digits.reshape(self.blocks, self.fold.pe, self.chunks, -1).transpose(0, 2, 1, 3)
        lanes = digits.reshape(self.steps, self.fold.pe, -1)
        return np.concatenate([lanes != 0, lanes < 0], axis=2).reshape(self.steps, -1).astype(np.int64)

    def start(self, design: Design) -> str:
        """What an accumulator starts from: the offset of its sums, unless thresholds already hold it."""
        width = self.fold.pe * self.acc
        if self.unit.threshold is not None:
            return f"  wire [{width - 1}:0] start = '0;\n"
        rows = self.offset.reshape(self.blocks, self.fold.pe)
        if self.blocks == 1:
            value = ", ".join(constant(int(v), self.acc) for v in rows[0][::-1])
            return f"  wire [{width - 1}:0] start = {{{value}}};\n"
        file = f"{self.name}_start.mem"
        design.memories[file] = words(rows, self.acc)
        return f"  wire [{width - 1}:0] start;\n" + instance("crq_block_rom", "start_rom", {
            "WIDTH": width, "BLOCKS": self.blocks, "BLOCK": int(width * self.blocks >= BRAM_BITS),
            "FILE": f'"{file}"'}, {
            "clk": "clk", "rst": "rst", "en": "en", "advance": "valid_sum", "q": "start"})  # fmt: skip

    # -- weights built in

    def unrolled(self) -> str:
        """One lane per channel, its non-zero weights as wires and inverters."""
        width = self.bits_in + (0 if self.signed_in else 1) + self.n_digits - 1
        lists = [np.argwhere(d.reshape(-1, self.n_digits)) for d in self.digits]
        depth = max(tree_registers(max(1, len(found))) for found in lists)
        text = f"  wire [{self.fold.pe * self.acc - 1}:0] sums;\n"
        for channel, found in enumerate(lists):
            digits = self.digits[channel].reshape(-1, self.n_digits)
            taps = self.taps(channel)
            terms = [self.term(taps[f], int(k), width) for f, k in found] or [f"{width}'b0"]
            negative = [int(digits[f, k] < 0) for f, k in found] or [0]
            start = int(self.offset[channel]) if self.unit.threshold is None else 0
            text += instance("crq_pe_fixed", f"pe{channel}", {
                "N": len(terms), "BITS": width, "NEG": literal(negative), "ACC": self.acc,
                "START": constant(start, self.acc), "WAIT": depth - tree_registers(len(terms))}, {
                "clk": "clk", "en": "en", "x": "{" + ", ".join(reversed(terms)) + "}",
                "acc": f"sums[{channel * self.acc}+:{self.acc}]"})  # fmt: skip
        return text + self.done(depth, "{active && last_chunk, active && last}")

    def term(self, element: int, shift: int, width: int) -> str:
        """One operand, widened to the signed width and shifted."""
        low = element * self.bits_in
        extend = width - self.bits_in - shift
        top = f"{{{extend}{{window[{low + self.bits_in - 1}]}}}}" if self.signed_in else f"{extend}'b0"
        parts = [top] if extend else []
        parts.append(f"window[{low}+:{self.bits_in}]")
        if shift:
            parts.append(f"{shift}'b0")
        return "{" + ", ".join(parts) + "}"

    # -- after the sums

    def done(self, depth: int, source: str) -> str:
        return "  wire valid_acc, last_acc;\n" + instance("crq_delay", "done", {"WIDTH": 2, "DEPTH": depth}, {
            "clk": "clk", "rst": "rst", "en": "en", "d": source, "q": "{valid_acc, last_acc}"})  # fmt: skip

    def back(self, design: Design) -> str:
        """Thresholds, and the register that collects a beat."""
        pe, bits = self.fold.pe, self.bits_out
        text, latency = f"  wire [{pe * bits - 1}:0] codes;\n", 0
        if self.table is not None:
            width = pe * self.acc
            text += f"  wire [{width - 1}:0] signed_sums = sums ^ {{{pe}{{{self.acc}'h{self.middle:x}}}}};\n"
            lanes, latency = compare_lanes(design, self.name, self.table, pe, "signed_sums", "valid_acc", "codes")
            text += lanes
        else:
            text += f"  assign codes = {slices_of(pe, self.acc, bits)};\n  wire unused_sums = &sums;\n"
        valid, last = "valid_acc", "last_acc"
        if latency:
            text += "  wire valid_code, last_code;\n"
            text += instance("crq_delay", "search", {"WIDTH": 2, "DEPTH": latency}, {
                "clk": "clk", "rst": "rst", "en": "en", "d": "{valid_acc, last_acc}",
                "q": "{valid_code, last_code}"})  # fmt: skip
            valid, last = "valid_code", "last_code"
        return text + instance("crq_collect", "collect", {"WIDTH": pe * bits, "BLOCKS": self.blocks}, {
            "clk": "clk", "rst": "rst", "en": "en", "push": valid, "last": last, "d": "codes",
            "out_valid": "out_valid", "out_data": "out_data"})  # fmt: skip


def slices_of(lanes: int, stride: int, bits: int) -> str:
    """The low `bits` of each of `lanes` words of `sums`."""
    return "{" + ", ".join(f"sums[{lane * stride}+:{bits}]" for lane in reversed(range(lanes))) + "}"

"""SystemVerilog of a convolution or dense layer: how its sums are made, in the parallel and in the folded form."""

from __future__ import annotations

from functools import partial

import numpy as np

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import BRAM_BITS, weights_in_bram
from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.schedule import graph_stages, lane_registers
from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.dataflow.windows import window
from crq.hw.graphs.layer import element_name, layer_stages
from crq.hw.graphs.stages import Staged
from crq.hw.ir.digits import signed_digits
from crq.hw.ir.layers import Conv, IntArray, Mac
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.stages import stage_of
from crq.hw.rtl.verilog import Design, constant, held_back, instance, literal, slices, words
from crq.hw.rtl.window import ring_instance, window_instance


def mac(unit: Unit, fold: Fold, design: Design) -> str:
    """The body of a convolution's or dense layer's module; its ROMs go into `design`."""
    return MacUnit(unit, fold).body(design)


def sums_module(name: str, mac: Mac, graph: Staged, width: int) -> str:
    """The module of a layer's adder graph, its inputs by row, column and channel, its sums of `width` bits."""
    return graph_module(name, graph, mac.input.format.bits, width, partial(element_name, mac))


class MacUnit:
    """Facts of one MAC unit under a folding, and its Verilog body."""

    def __init__(self, unit: Unit, fold: Fold) -> None:
        assert isinstance(unit.layer, Mac)
        self.unit, self.mac, self.fold, self.name = unit, unit.layer, fold, bounded(unit.name)
        self.slide = window(unit)
        self.blocks = unit.output.shape.c // fold.pe
        self.chunks = self.mac.fan_in // fold.simd
        self.steps = self.blocks * self.chunks
        self.is_unrolled = unit.is_unrolled(fold)
        self.digits = signed_digits(self.mac.weights).transpose(0, 2, 3, 1, 4)  # (O, KH, KW, I, digit)
        found = sums(unit, self.is_unrolled)
        self.acc, self.offset, self.middle, self.table = found.bits, found.offset, found.middle, found.table
        self.bits_in = self.mac.input.format.bits
        self.signed_in = self.mac.input.format.signed
        self.words = "weights"  # the vector that the lanes read

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
        if self.fold.form == FOLDED:
            text = self.from_memory(design)
        else:
            text = self.front() + (self.unrolled(design) if self.is_unrolled else self.multiplexed(design))
        width = self.fold.pe * self.acc
        if self.middle:
            text += "  // A lane's sum has no sign; with its top bit inverted it counts from its middle, and has one.\n"
        text += f"  wire [{width - 1}:0] signed_sums = sums ^ {{{self.fold.pe}{{{self.acc}'h{self.middle:x}}}}};\n"
        return text + stage_of(design, self.unit, self.fold, self.table, self.acc)

    def front(self) -> str:
        sizes = {"CHUNKS": self.chunks, "BLOCKS": self.blocks}
        cb, bb, ab = (max(1, clog2(n)) for n in (self.chunks, self.blocks, self.steps))
        text = "  wire done, free;\n  wire en = !done || free;\n  wire active, last, first_chunk, last_chunk;\n"
        text += f"  wire [{cb - 1}:0] chunk;\n  wire [{bb - 1}:0] block;\n  wire [{ab - 1}:0] address;\n"
        text += window_instance(self.slide, self.bits_in, "0", "in0")
        text += instance("crq_steps", "steps", sizes, {
            "clk": "clk", "rst": "rst", "go": "en && active", "chunk": "chunk", "block": "block", "address": "address",
            "first_chunk": "first_chunk", "last_chunk": "last_chunk", "last": "last"})  # fmt: skip
        return text + "  wire unused_steps = &{chunk, block, address, first_chunk, last_chunk};\n"

    # -- the folded form: a word of the window's memory per step

    def from_memory(self, design: Design) -> str:
        x_bits = self.bits_in * (self.fold.pe if self.unit.is_lanewise else self.fold.simd)
        bits = max(1, clog2(self.steps))
        text = "  wire done, free;\n  wire en = !done || free;\n  wire valid, first, last;\n"
        text += f"  wire [{bits - 1}:0] address;\n  wire [{x_bits - 1}:0] x;\n"
        text += ring_instance(self.unit, self.fold, x_bits)
        held, x = held_back(x_bits, "x", "en", self.fold.fetch)
        operands = [f"{x}[{p * self.bits_in}+:{self.bits_in}]" for p in range(self.fold.pe)]
        text += held + self.control(lane_registers(self.fold.simd, self.n_digits), "{first, valid && last}")
        text += self.weight_rom(design) + self.start(design, "last_sum")
        text += self.lanes(operands if self.unit.is_lanewise else [x] * self.fold.pe)
        return text + self.done(1, "last_sum")

    # -- the parallel form with weights in a ROM: operands out of the window's registers

    def multiplexed(self, design: Design) -> str:
        slots, per_slot = self.slots()
        simd_bits = self.fold.simd * self.bits_in
        group_blocks = self.group_blocks()
        entries = group_blocks * self.chunks
        text, chosen = self.weight_rom(design) + self.selector(entries, group_blocks), list[str]()
        for slot in range(slots):
            elements = []
            for gb in range(group_blocks):
                channel = gb * (self.blocks // group_blocks) * self.fold.pe + slot * per_slot
                elements += self.taps(channel)
            text += f"  wire [{simd_bits - 1}:0] operands{slot};\n"
            text += instance("crq_select", f"select{slot}", {"WIDTH": simd_bits, "N": entries}, {
                "clk": "clk", "en": "en", "d": slices("window", elements, self.bits_in), "sel": "sel",
                "q": f"operands{slot}"})  # fmt: skip
            held, operands = held_back(simd_bits, f"operands{slot}", "en", self.fold.fetch)
            text, chosen = text + held, [*chosen, operands]
        depth = 1 + lane_registers(self.fold.simd, self.n_digits)
        text += self.control(depth, "{active && first_chunk, active && last_chunk}")
        text += self.start(design, "last_sum")
        text += self.lanes([chosen[lane // per_slot] for lane in range(self.fold.pe)])
        return text + self.done(1, "last_sum")

    # -- what both have

    def weight_rom(self, design: Design) -> str:
        weights = self.weight_words()
        text, self.words = f"  wire [{weights.shape[1] - 1}:0] weights;\n", "weights"
        if (weights == weights[:1]).all():  # the sums of an average pool
            return text + f"  assign weights = {literal(weights[0].tolist())};\n  wire unused_address = &address;\n"
        file = f"{self.name}_w.mem"
        design.memories[file] = words(weights, 1)
        lanes = self.fold.simd * self.n_digits
        said = (
            f"  // A line per block of {self.fold.pe} channels and chunk of {self.fold.simd} products. In it of each "
            f"channel, the\n  // first lowest, {lanes} bits of what is not zero and above them {lanes} of what is "
            "negative;\n  // products by row, column and channel of the window, the first lowest.\n"
        )
        held, self.words = held_back(weights.shape[1], "weights", "en", self.fold.fetch)
        rom = instance("crq_rom", "weight_rom", {
            "WIDTH": weights.shape[1], "DEPTH": self.steps, "BLOCK": int(weights_in_bram(self.mac, self.fold)),
            "FILE": f'"{file}"'}, {"clk": "clk", "en": "en", "address": "address", "q": "weights"})  # fmt: skip
        return text + said + rom + held

    def control(self, depth: int, source: str) -> str:
        """Flags of the first and the last products of a block, as their sum reaches the accumulator: `depth` cycles
        after what the lanes read."""
        text, depth = "  wire first_sum, last_sum;\n", depth + self.fold.fetch
        if not depth:
            return text + f"  assign {{first_sum, last_sum}} = {source};\n"
        return text + instance("crq_delay", "control", {"WIDTH": 2, "DEPTH": depth}, {
            "clk": "clk", "rst": "rst", "en": "en", "d": source, "q": "{first_sum, last_sum}"})  # fmt: skip

    def lanes(self, operands: list[str]) -> str:
        """A crq_pe per output channel of a block; `operands` of each."""
        lanes = self.fold.simd * self.n_digits
        text = f"  wire [{self.fold.pe * self.acc - 1}:0] sums;\n"
        for lane, x in enumerate(operands):
            low = lane * 2 * lanes
            text += instance("crq_pe", f"pe{lane}", {
                "SIMD": self.fold.simd, "DIGITS": self.n_digits, "BITS": self.bits_in, "SIGNED": int(self.signed_in),
                "ACC": self.acc, "SINGLE": int(self.chunks == 1), "ZERO": int(self.unit.threshold is not None)}, {
                "clk": "clk", "en": "en", "x": x, "nz": f"{self.words}[{low}+:{lanes}]",
                "neg": f"{self.words}[{low + lanes}+:{lanes}]", "first": "first_sum",
                "start": f"start[{lane * self.acc}+:{self.acc}]",
                "acc": f"sums[{lane * self.acc}+:{self.acc}]"})  # fmt: skip
        return text

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
        return f"  wire [{bits - 1}:0] sel;\n" + instance("crq_group", "group", {
            "CHUNKS": self.chunks, "BLOCKS": self.blocks // group_blocks, "GROUPS": group_blocks}, {
            "clk": "clk", "rst": "rst", "go": "en && active", "sel": "sel"})  # fmt: skip

    def weight_words(self) -> IntArray:
        """(steps, PE * 2 * lanes) bits: per lane the non-zero flags of its products, then their signs."""
        digits = self.digits.reshape(self.blocks, self.fold.pe, self.chunks, -1).transpose(0, 2, 1, 3)
        lanes = digits.reshape(self.steps, self.fold.pe, -1)
        return np.concatenate([lanes != 0, lanes < 0], axis=2).reshape(self.steps, -1).astype(np.int64)

    def start(self, design: Design, advance: str) -> str:
        """What an accumulator starts from: the offset of its sums, unless thresholds hold it. `advance` is high as a
        block's last products are added."""
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
            "clk": "clk", "rst": "rst", "en": "en", "advance": advance, "q": "start"})  # fmt: skip

    # -- weights built in

    def unrolled(self, design: Design) -> str:
        """The adder graph of all sums, on the registers of the window."""
        stages = graph_stages(self.mac, self.fold.levels)
        module = f"{self.name}_sums"
        graph = layer_stages(self.mac, design.family, stages)
        design.sources[f"{module}.sv"] = sums_module(module, self.mac, graph, self.acc)
        elements = self.window_elements()
        text = f"  wire [{self.fold.pe * self.acc - 1}:0] sums;\n"
        text += instance(module, "sums", {}, {
            "clk": "clk", "en": "en", "x": slices("window", elements, self.bits_in), "y": "sums"})  # fmt: skip
        return text + self.done(stages, "active")

    def window_elements(self) -> list[int]:
        """Element of the window's registers of each (kernel row, kernel column, channel)."""
        if not isinstance(self.mac, Conv):
            return self.taps(0)
        (kh, kw), (dh, dw), channels = self.mac.kernel, self.mac.dilation, self.slide.image.c
        columns = self.slide.span[1]
        return [
            (y * dh * columns + x * dw) * channels + c for y in range(kh) for x in range(kw) for c in range(channels)
        ]

    def done(self, depth: int, source: str) -> str:
        """The flag `done` of a block's finished sums, `depth` cycles after `source`."""
        return instance("crq_delay", "done", {"WIDTH": 1, "DEPTH": depth}, {
            "clk": "clk", "rst": "rst", "en": "en", "d": source, "q": "done"})  # fmt: skip

"""SystemVerilog of an adder graph: one wire per sum, in stages."""

from __future__ import annotations

from collections.abc import Callable

from crq.hw.graphs.graph import Adder
from crq.hw.graphs.stages import Staged
from crq.hw.ir.layers import Format, smallest_format
from crq.hw.rtl.verilog import instance, text_of


def graph_module(
    name: str, staged: Staged, bits: int, width: int, label: Callable[[int], str] = lambda e: f"input {e}"
) -> str:
    """The module `name`: inputs x of `bits` per element, `staged.stages` cycles later outputs y of `width` bits.

    `label` tells what an input element is. Without a stage the module is wires and adders only.
    """
    return _Module(name, staged, bits, width, label).text()


def extended(name: str, fmt: Format, width: int) -> str:
    """A value in `width` bits."""
    return f"{width}'($signed({name}))" if fmt.signed else f"{width}'({name})"


class _Module:
    def __init__(self, name: str, staged: Staged, bits: int, width: int, label: Callable[[int], str]) -> None:
        self.name, self.staged, self.graph, self.bits, self.width = name, staged, staged.graph, bits, width
        self.label, self.first = label, len(staged.graph.taps)

    def text(self) -> str:
        graph, stages = self.graph, self.staged.stages
        body = ""
        registers: list[tuple[str, str]] = []  # (before, behind)
        used = {t.element for n, t in enumerate(graph.taps) if graph.ranges[n] != (0, 0)}
        for number, tap in enumerate(graph.taps):
            body += self.tap(number, tap.element, tap.shift) + self.copies(number, registers)
        for number, adder in enumerate(graph.adders, start=self.first):
            body += self.adder(number, adder) + self.copies(number, registers)
        for output, term in enumerate(graph.outputs):
            value = f"{self.width}'b0"
            if term is not None:
                value = extended(self.at(term.value, stages), graph.formats[term.value], self.width)
                value = f"-({value})" if term.negative else value
            body += f"  assign y[{output * self.width}+:{self.width}] = {value};\n"
        body += "".join(map(self.spare, dict.fromkeys(t.value for t in graph.outputs if t is not None)))
        if registers:
            moved = "".join(f"      {after} <= {before};\n" for before, after in registers)
            body += f"  always_ff @(posedge clk)\n    if (en) begin\n{moved}    end\n"
        else:
            body += "  wire unused_clock = &{clk, en};\n"
        if sum(self.element_bits(e) for e in used) < len(graph.lo) * self.bits:
            body += "  wire unused_x = &x;\n"
        return text_of(
            f"module {self.name} (\n    input logic clk,\n"
            f"    input logic en,\n    input logic [{len(graph.lo) * self.bits - 1}:0] x,\n"
            f"    output logic [{len(graph.outputs) * self.width - 1}:0] y\n);\n{body}endmodule\n",
            self.summary(),
        )

    def spare(self, value: int) -> str:
        """The bits of an output's interval that its sum never needs, as of 8x - x; told to linters."""
        name, bits = self.at(value, self.staged.stages), self.graph.formats[value].bits
        return f"  wire unused_{name} = &{name}[{bits - 1}:{self.width}];\n" if bits > self.width else ""

    def summary(self) -> str:
        graph, staged = self.graph, self.staged
        three = sum(len(a.terms) == 3 for a in graph.adders)
        return (
            f"{len(graph.outputs)} sums of {len(graph.lo)} inputs: {len(graph.adders)} adders, {three} of them of "
            f"three operands, in {staged.stages} stages of {staged.levels_per_stage} levels at most."
        )

    def element_bits(self, element: int) -> int:
        """What the interval of an element needs of its bits."""
        return smallest_format(self.graph.lo[element], self.graph.hi[element]).bits

    def tap(self, number: int, element: int, shift: int) -> str:
        low = f"x[{element * self.bits}+:{self.element_bits(element)}]"
        value, bits = f"{{{low}, {shift}'b0}}" if shift else low, self.graph.formats[number].bits
        if self.graph.ranges[number] == (0, 0):
            value = "1'b0"
        scaled = f" * {1 << shift}" if shift else ""
        return f"  wire [{bits - 1}:0] v{number} = {value};  // {self.label(element)}{scaled}\n"

    def adder(self, number: int, adder: Adder) -> str:
        fmt, stage = self.graph.formats[number], self.staged.stage[number]
        names = [self.at(t.value, stage) for t in adder.terms]
        formats = [self.graph.formats[t.value] for t in adder.terms]
        wire = f"wire [{fmt.bits - 1}:0] v{number}"
        if len(adder.terms) == 2:
            a, b = (extended(n, f, fmt.bits) for n, f in zip(names, formats, strict=True))
            # Kept, so that synthesis does not merge adders into larger circuits.
            return f"  (* keep *) {wire} = {a} {'-' if adder.terms[1].negative else '+'} {b};\n"
        parameters: dict[str, object] = {p: f.bits for p, f in zip("ABC", formats, strict=True)}
        parameters |= {f"S{p}": int(f.signed) for p, f in zip("ABC", formats, strict=True)}
        parameters |= {"NB": int(adder.terms[1].negative), "NC": int(adder.terms[2].negative), "O": fmt.bits}
        ports = dict(zip("abc", names, strict=True)) | {"y": f"v{number}"}
        return f"  {wire};\n" + instance("crq_sum3", str(number), parameters, ports)

    def at(self, value: int, stage: int) -> str:
        """The name of a value in a stage."""
        own = self.staged.stage[value]
        return f"v{value}" if stage == own else f"v{value}_{stage}"

    def copies(self, value: int, registers: list[tuple[str, str]]) -> str:
        """The registers that carry a value to the stages that read it."""
        stages = range(self.staged.stage[value], self.staged.last[value])
        pairs = [(self.at(value, s), self.at(value, s + 1)) for s in stages]
        registers += pairs
        bits = self.graph.formats[value].bits
        return f"  logic [{bits - 1}:0] {', '.join(after for _, after in pairs)};\n" if pairs else ""

"""A form of a matrix as a combinational circuit, behind ports that are the same for every form."""

from __future__ import annotations

import re
from typing import NamedTuple

from benchmarks.area.case import Case
from crq.hw.ir.layers import Format
from crq.hw.rtl.verilog import Design

TOP = "area_top"


class Circuit(NamedTuple):
    """`design` has a top with an input vector and an output vector: `inputs` are the bits of each element of the one
    (0: not used), `outputs` the formats of each element of the other, the first lowest. `note`: version and settings.
    """

    form: str
    design: Design
    inputs: tuple[int, ...]
    outputs: tuple[Format, ...]
    adders: int
    depth: int
    note: str = ""
    cpu_s: float | None = None
    wall_s: float | None = None


def framed(circuit: Circuit, case: Case) -> Design:
    """The circuit with inputs of `case.format` and outputs of `case.out`: no registers, and sign extension only."""
    bits, width = case.format.bits, case.out.bits
    used = [f"x[{i * bits}+:{n}]" for i, n in enumerate(circuit.inputs) if n]
    body = f"  wire [{sum(f.bits for f in circuit.outputs) - 1}:0] made;\n"
    body += f"  {circuit.design.top} u_form ({{{', '.join(reversed(used))}}}, made);\n"
    low = 0
    for o, form in enumerate(circuit.outputs):
        part = f"made[{low}+:{form.bits}]" if form.bits else "1'b0"
        part = f"$signed({part})" if form.signed else f"$signed({{1'b0, {part}}})"
        body += f"  assign y[{o * width}+:{width}] = {width}'({part});\n"
        low += form.bits
    ports = f"input [{len(case.matrix) * bits - 1}:0] x, output [{case.matrix.shape[1] * width - 1}:0] y"
    top = f"module {TOP} ({ports});\n{body}endmodule\n"
    return Design(TOP, {**circuit.design.sources, f"{TOP}.sv": top}, circuit.design.memories)


def kept(text: str) -> str:
    """With every declared wire kept: Yosys merges unkept adders into larger circuits."""
    return re.sub(r"(?m)^(\s*)wire ", r"\1(* keep *) wire ", text)

"""The plain form: a balanced tree of additions and subtractions per output, zeros left out, nothing shared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.area.case import Case
from benchmarks.area.circuit import Circuit
from crq.hw.ir.layers import Format
from crq.hw.rtl.verilog import Design


def adder_trees(case: Case) -> Circuit:
    """A module per output: apart, trees cost the same and synthesise faster."""
    inputs, outputs = case.matrix.shape
    text, formats, body, depth = "", [], "", 0
    for o in range(outputs):
        module, width, levels = adder_tree(f"tree{o}", case.matrix[:, o], case.format)
        text += module
        low = sum(f.bits for f in formats)
        body += f"tree{o} u{o} (x, y[{low}+:{width}]);\n"
        formats.append(Format(width, True))
        depth = max(depth, levels)
    ports = f"input [{inputs * case.format.bits - 1}:0] x, output [{sum(f.bits for f in formats) - 1}:0] y"
    design = Design("trees", {"trees.sv": f"{text}module trees ({ports});\n{body}endmodule\n"})
    ternary = np.abs(case.matrix).max() == 1
    adders = int((np.count_nonzero(case.matrix, axis=0) - 1).clip(min=0).sum())
    name = "adder trees" if ternary else "multipliers and adder trees"
    return Circuit(name, design, (case.format.bits,) * inputs, tuple(formats), adders, depth)


def adder_tree(name: str, weights: NDArray[np.int64], form: Format) -> tuple[str, int, int]:
    """(module, bits of its output, levels of adders). Two negative terms are added, and their sign is passed on."""
    terms, body = [], ""  # terms: (wire, negative, width)
    narrow = form.bits + (not form.signed)
    for i in np.flatnonzero(weights):
        wire, digits = f"p{i}", abs(int(weights[i])).bit_length()
        width, factor = (narrow, "") if digits == 1 else (narrow + digits, f" * {digits + 1}'sd{abs(weights[i])}")
        code = f"x[{i * form.bits}+:{form.bits}]"
        code = f"$signed({code})" if form.signed else f"$signed({{1'b0, {code}}})"
        body += f"wire signed [{width - 1}:0] {wire} = {code}{factor};\n"
        terms.append((wire, weights[i] < 0, width))
    level = 0
    while len(terms) > 1:
        paired = []
        for k in range(0, len(terms) - 1, 2):
            (a, a_minus, wa), (b, b_minus, wb) = terms[k], terms[k + 1]
            wire, width = f"s{level}_{k}", max(wa, wb) + 1
            if a_minus and not b_minus:
                a, b = b, a
            sign = "+" if a_minus == b_minus else "-"
            body += f"(* keep *) wire signed [{width - 1}:0] {wire} = {a} {sign} {b};\n"
            paired.append((wire, a_minus and b_minus, width))
        terms, level = paired + terms[2 * len(paired) :], level + 1
    wire, minus, width = terms[0] if terms else ("1'b0", False, 1)
    width += int(minus)
    ports = f"input [{len(weights) * form.bits - 1}:0] x, output signed [{width - 1}:0] y"
    text = f"module {name} ({ports});\n{body}assign y = {'-' if minus else ''}{wire};\nendmodule\n"
    return f"(* keep_hierarchy *)\n{text}", width, level

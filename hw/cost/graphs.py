"""The price of an adder graph."""

from __future__ import annotations

from itertools import product

from crq.hw.cost.constants import NEGATE_LUT4
from crq.hw.cost.lanes import even
from crq.hw.cost.primitives import shift_register
from crq.hw.cost.resources import Resources
from crq.hw.graphs.graph import Adder, Graph
from crq.hw.graphs.layer import OPERANDS
from crq.hw.graphs.stages import Staged
from crq.hw.ir.layers import Format, Mac

# LUTs of sums of up to four bits on ECP5, which have no carry chain, by the bits of the narrower operand.
SMALL_LUT4 = {1: (1,), 2: (2,), 3: (3, 3), 4: (4, 6, 10)}

# Of random ternary matrices, half of them zero (tests/hw/cost/test_graphs.py): adders per non-zero weight by the
# operands of an adder, bits of an adder beyond those of an input, flip-flops per LUT.
ADDERS_PER_WEIGHT = {2: 0.45, 3: 0.24}
MORE_BITS = 3.5
FF_PER_LUT = {2: 0.5, 3: 0.85}


def rough_price(mac: Mac, family: str = "xcup") -> Resources:
    """What the adder graph of a layer may cost, without solving it: for a search that weighs many foldings."""
    operands = OPERANDS[family]
    logic = ADDERS_PER_WEIGHT[operands] * mac.nonzeros * (mac.input.format.bits + MORE_BITS)
    return Resources(logic=logic, ff=FF_PER_LUT[operands] * logic)


def graph_price(staged: Staged, family: str = "xcup") -> Resources:
    """All adders, the opposites that outputs take, and the registers between stages."""
    graph, logic = staged.graph, 0
    for number, adder in enumerate(graph.adders, start=len(graph.taps)):
        logic += _adder(graph, adder, graph.formats[number].bits, family)
    for output in graph.outputs:
        if output is not None and output.negative:
            bits = graph.formats[output.value].bits
            logic += NEGATE_LUT4 * bits if family == "ecp5" else bits
    registers = (shift_register(bits, length, family) for bits, length in staged.chains)
    return Resources(logic=logic).plus(*registers)


def _adder(graph: Graph, adder: Adder, out: int, family: str) -> int:
    formats = [graph.formats[t.value] for t in adder.terms]
    if len(formats) == 3:
        return three_operands(formats, [t.negative for t in adder.terms], out, family)
    negative = adder.terms[1].negative
    zeros = [graph.zeros[t.value] for t in adder.terms]
    below = zeros[1] if negative else max(zeros)  # bits of one operand pass where the other has none
    a, b = (Format(f.bits - below, f.signed) for f in formats)
    return two_operands(a, b, negative, out - below, family)


def two_operands(a: Format, b: Format, negative: bool, out: int, family: str = "xcup") -> int:
    """LUTs of a + b or a - b. With 6-input LUTs a bit of a sum where one operand is zero passes the carry chain alone;
    a difference has a LUT per bit."""
    if family == "ecp5":
        narrow = max(1, min(a.bits, b.bits))
        return SMALL_LUT4[out][min(narrow, len(SMALL_LUT4[out])) - 1] if 0 < out < 5 else even(max(0, out))
    if negative or out < 3:
        return max(0, out)
    above_a, above_b = (out if f.signed else min(f.bits, out) for f in (a, b))
    return max(0, min(above_a, above_b, max(a.bits, b.bits)))


def three_operands(formats: list[Format], negative: list[bool], out: int, family: str = "xcup") -> int:
    """LUTs of crq_sum3: one per bit of the widest operand, and those of what its carry chain takes above them.

    Those are functions of the signs and of the last majority; a constant and a bit as it is take no LUT, two equal
    functions take one. CARRY4 that starts with a carry has its first two sums inverted by LUTs.
    """
    widest = min(max(f.bits for f in formats), out)
    signs_reach = all(f.signed or f.bits < widest for f in formats)  # SIGNS of crq_sum3
    rows = []
    for *bits, majority in product((False, True), repeat=4):
        signs = [f.signed and bit for f, bit in zip(formats, bits, strict=True)]
        ones = sum(sign != minus for sign, minus in zip(signs, negative, strict=True))
        differ, above = 0 < ones < 3, ones > 1
        rows.append((
            signs + [majority, False, True],
            [differ, differ, majority] if signs_reach else [ones % 2 != majority, differ, above],
        ))  # fmt: skip
    wires, functions = (list(zip(*column, strict=True)) for column in zip(*rows, strict=True))
    needed = functions[: (0, 1, 3)[min(out - widest, 2)]]
    inverted = min(2, out) if family == "xc7" and sum(negative) == 2 else 0
    return widest + len(set(needed) - set(wires)) + inverted

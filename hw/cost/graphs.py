"""The price of an adder graph."""

from __future__ import annotations

from hw.cost.lanes import paired
from hw.cost.resources import Resources
from hw.graphs.layer import OPERANDS
from hw.graphs.stages import Staged
from hw.ir.layers import Mac

# Of random ternary matrices, half of them zero (tests/hw/cost/test_graphs.py): adders per non-zero weight by the
# operands of an adder, bits of an adder beyond those of an input, flip-flops per LUT.
ADDERS_PER_WEIGHT = {2: 0.45, 3: 0.24}
MORE_BITS = 3.5
FF_PER_LUT = 0.6


def rough_price(mac: Mac, family: str = "xcup") -> Resources:
    """What the adder graph of a layer may cost, without solving it: for a search that weighs many foldings."""
    adders = ADDERS_PER_WEIGHT[OPERANDS[family]] * mac.nonzeros
    logic = adders * (mac.input.format.bits + MORE_BITS)
    return Resources(logic=logic, ff=FF_PER_LUT * logic)


def graph_price(staged: Staged, family: str = "xcup") -> Resources:
    """An adder of two has a LUT per bit of its wider operand, one more where their bits differ; an adder of three a LUT
    per bit and one for its top bits. On ECP5 a carry chain takes its LUTs in pairs."""
    graph, logic = staged.graph, 0
    for number, adder in enumerate(graph.adders, start=len(graph.taps)):
        bits = graph.formats[number].bits
        if family == "ecp5":
            logic += paired(bits)
            continue
        widths = [graph.formats[t.value].bits for t in adder.terms]
        more = 1 if len(widths) == 3 else len(set(widths)) - 1
        logic += min(bits, max(widths) + more)
    logic += sum(graph.formats[o.value].bits for o in graph.outputs if o is not None and o.negative)
    return Resources(logic=logic, ff=staged.register_bits)

"""What is wrong with an untraced graph of da4ml 0.5.2, and the least change that makes it right for signed inputs."""

from __future__ import annotations

from benchmarks.area.circuit import Circuit
from crq.errors import ToolError
from crq.hw.rtl.verilog import Design

ADDER = "shift_adder.v"
NARROW = (
    "  localparam BW_ADD = (IN0_NEED_BITS > IN1_NEED_BITS) "
    "? IN0_NEED_BITS + EXTRA_PAD + 1 : IN1_NEED_BITS + EXTRA_PAD + 1;\n"
)
WIDE = NARROW.replace("BW_ADD", "BW_SUM") + "  localparam BW_ADD = (BW_SUM > BW_OUT) ? BW_SUM : BW_OUT;\n"


def widened(circuit: Circuit) -> Circuit:
    """The graph with adders of at least the width of their results.

    The solver gives an adder of two negative terms the interval of -a - b, but it computes a + b. For a and b of 8 bits
    that is [-254, 256], 10 bits, where the adder has BW_ADD = 9: it then selects accum[9:0], whose highest bit does not
    exist. Synthesis prunes what depends on it. The intervals of later adders follow from the wrong one: with unsigned
    inputs some are taken for unsigned whose sums can be negative, which no width mends. Tracing computes the intervals
    again: a traced graph has neither fault.
    """
    text = circuit.design.sources[ADDER]
    if text.count(NARROW) != 1:
        raise ToolError(f"{ADDER} is not that of da4ml 0.5.2")
    design = Design(circuit.design.top, {**circuit.design.sources, ADDER: text.replace(NARROW, WIDE)})
    return circuit._replace(form=f"{circuit.form}, adders widened", design=design)

"""alkaid's adders of three operands on our primitive: what is left of a difference is the graph's."""

from __future__ import annotations

from benchmarks.area.circuit import Circuit
from benchmarks.area.graphs import adder_library
from crq.hw.rtl.verilog import Design

ADDER = "ternary_adder.v"
# alkaid's ports; an operand is padded below, its order is free. At least one operand is not negated: it goes first.
MODULE = """module ternary_adder #(
    parameter BW_INPUT0 = 32, parameter SIGNED0 = 0, parameter NEGATE0 = 0, parameter PAD0 = 0,
    parameter BW_INPUT1 = 32, parameter SIGNED1 = 0, parameter NEGATE1 = 0, parameter PAD1 = 0,
    parameter BW_INPUT2 = 32, parameter SIGNED2 = 0, parameter NEGATE2 = 0, parameter PAD2 = 0,
    parameter BW_OUT = 32, parameter DROP_LSBS = 0
) (
    input [BW_INPUT0-1:0] in0, input [BW_INPUT1-1:0] in1, input [BW_INPUT2-1:0] in2, output [BW_OUT-1:0] out
);
  localparam W0 = BW_INPUT0 + PAD0, W1 = BW_INPUT1 + PAD1, W2 = BW_INPUT2 + PAD2, O = BW_OUT + DROP_LSBS;
  wire [W0-1:0] a = {in0, {PAD0{1'b0}}};
  wire [W1-1:0] b = {in1, {PAD1{1'b0}}};
  wire [W2-1:0] c = {in2, {PAD2{1'b0}}};
  wire [O-1:0] y;
  if (NEGATE0 == 0) begin : first
    crq_sum3 #(.A(W0), .B(W1), .C(W2), .SA(SIGNED0), .SB(SIGNED1), .SC(SIGNED2), .NB(NEGATE1), .NC(NEGATE2), .O(O))
      sum (.a(a), .b(b), .c(c), .y(y));
  end else if (NEGATE1 == 0) begin : second
    crq_sum3 #(.A(W1), .B(W0), .C(W2), .SA(SIGNED1), .SB(SIGNED0), .SC(SIGNED2), .NB(NEGATE0), .NC(NEGATE2), .O(O))
      sum (.a(b), .b(a), .c(c), .y(y));
  end else begin : third
    crq_sum3 #(.A(W2), .B(W0), .C(W1), .SA(SIGNED2), .SB(SIGNED0), .SC(SIGNED1), .NB(NEGATE0), .NC(NEGATE1), .O(O))
      sum (.a(c), .b(a), .c(b), .y(y));
  end
  assign out = y[O-1:DROP_LSBS];
endmodule
"""


def on_our_adder(circuit: Circuit) -> Circuit:
    """The same graph; Yosys finds no adder of three operands itself, and vendors' tools do."""
    sources = {**adder_library(), **circuit.design.sources, ADDER: MODULE}
    return circuit._replace(form=f"{circuit.form} of ours", design=Design(circuit.design.top, sources))

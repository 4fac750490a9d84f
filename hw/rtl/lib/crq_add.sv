// LANES sums x + y, or with NEGATE (y ? -x : x) where y is one bit.
(* keep_hierarchy *)
module crq_add #(
    parameter int LANES = 1,
    parameter int XB = 4,
    parameter bit XS = 0,
    parameter int YB = 4,
    parameter bit YS = 0,
    parameter int OUT = 5,
    parameter bit NEGATE = 0
) (
    input  logic [LANES*XB-1:0]  x,
    input  logic [LANES*YB-1:0]  y,
    output logic [LANES*OUT-1:0] q
);
  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire [XB-1:0] a = x[l*XB+:XB];
    wire [YB-1:0] b = y[l*YB+:YB];
    wire [OUT-1:0] wide_a, wide_b;
    wire unused = &{a, b};  // their upper bits, where every sum is narrower than they are
    if (XS) begin : gen_a_signed
      assign wide_a = OUT'($signed(a));
    end else begin : gen_a_unsigned
      assign wide_a = OUT'(a);
    end
    if (YS) begin : gen_b_signed
      assign wide_b = OUT'($signed(b));
    end else begin : gen_b_unsigned
      assign wide_b = OUT'(b);
    end
    if (NEGATE) begin : gen_negate
      assign q[l*OUT+:OUT] = (wide_a ^ {OUT{b[0]}}) + wide_b;
    end else begin : gen_add
      assign q[l*OUT+:OUT] = wide_a + wide_b;
    end
  end
endmodule

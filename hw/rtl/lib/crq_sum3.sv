// y = a +- b +- c, modulo 2**O. Each operand has its own bits and sign; O is at most three bits more than the widest.
// Xilinx: a LUT6_2 per bit, of the majority and the sum, and one carry chain, which synthesis does not infer.
module crq_sum3 #(
    parameter int A = 8,
    parameter int B = 8,
    parameter int C = 8,
    parameter bit SA = 0,
    parameter bit SB = 0,
    parameter bit SC = 0,
    parameter bit NB = 0,
    parameter bit NC = 0,
    parameter int O = 10
) (
    input  logic [A-1:0] a,
    input  logic [B-1:0] b,
    input  logic [C-1:0] c,
    output logic [O-1:0] y
);
`ifdef CRQ_XILINX
  localparam int AB = A > B ? A : B;
  localparam int MOST = AB > C ? AB : C;
  localparam int W = MOST < O ? MOST : O;
  localparam bit [63:0] ONE = 64'hAAAAAAAAAAAAAAAA, TWO = 64'hCCCCCCCCCCCCCCCC ^ {64{NB}};
  localparam bit [63:0] THREE = 64'hF0F0F0F0F0F0F0F0 ^ {64{NC}};
  localparam bit [63:0] BELOW = 64'hFF00FF00FF00FF00, SUM = 64'hFFFFFFFF00000000;
  // Of the bits above an operand: its sign, complemented where it is subtracted.
  wire above_a = SA && a[A-1], above_b = SB && b[B-1], above_c = SC && c[C-1];
  wire [W-1:0] s, majority;
  // -x = ~x + 1: one such 1 enters where no majority does, a second by the carry.
  wire [W:0] below = {majority, NB || NC};
  for (genvar i = 0; i < W; i++) begin : gen_bit
    wire ai = i < A ? a[i<A?i : A-1] : above_a;
    wire bi = i < B ? b[i<B?i : B-1] : above_b;
    wire ci = i < C ? c[i<C?i : C-1] : above_c;
    LUT6_2 #(
        .INIT((SUM & (ONE ^ TWO ^ THREE ^ BELOW)) | (~SUM & ((ONE & TWO) | (ONE & THREE) | (TWO & THREE))))
    ) u_lut (
        .O6(s[i]), .O5(majority[i]), .I0(ai), .I1(bi), .I2(ci), .I3(below[i]), .I4(1'b0), .I5(1'b1)
    );
  end
  wire p = above_a, q = above_b ^ NB, r = above_c ^ NC;
  wire above = (p && q) || (p && r) || (q && r);
  wire differ = (p || q || r) && !(p && q && r);  // their sum and the majority of those below, once these are the same
  // Where bit W - 1 of every operand is its sign, the majority there is that of all bits above.
  localparam bit SIGNS = (SA || A < W) && (SB || B < W) && (SC || C < W);
  wire carried = SIGNS ? majority[W-1] : above;
  wire first = SIGNS ? differ : p ^ q ^ r ^ majority[W-1];
  wire [W+2:0] all_s = {{2{differ}}, first, s};
  wire [W+2:0] all_di = {{2{carried}}, below};
  wire [O-1:0] sum;
  wire unused_carry;
  crq_carry #(.N(O)) u_carry (.ci(NB && NC), .s(all_s[O-1:0]), .di(all_di[O-1:0]), .o(sum), .co(unused_carry));
  wire unused = &{all_s, all_di, unused_carry};
  assign y = sum;
`else
  wire [O-1:0] wide_a, wide_b, wide_c;
  if (SA) begin : gen_a_signed
    assign wide_a = O'($signed(a));
  end else begin : gen_a_unsigned
    assign wide_a = O'(a);
  end
  if (SB) begin : gen_b_signed
    assign wide_b = O'($signed(b));
  end else begin : gen_b_unsigned
    assign wide_b = O'(b);
  end
  if (SC) begin : gen_c_signed
    assign wide_c = O'($signed(c));
  end else begin : gen_c_unsigned
    assign wide_c = O'(c);
  end
  assign y = wide_a + (NB ? -wide_b : wide_b) + (NC ? -wide_c : wide_c);
`endif
endmodule

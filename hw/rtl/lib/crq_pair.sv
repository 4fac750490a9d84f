// Sum of two products a * t, b * t as crq_pe makes them: a negative one is the complement, a signed operand counts from
// its lowest value. Xilinx: a LUT6_2 per bit holds the first product and its sum with the second. ECP5: the LUTs of
// the carry chain hold the second product.
module crq_pair #(
    parameter int W = 4,
    parameter bit SIGNED = 0
) (
    input  logic [W-1:0] a,
    input  logic [W-1:0] b,
    input  logic [1:0]   nz,
    input  logic [1:0]   neg,
    output logic [W:0]   y
);
`ifdef CRQ_XILINX
  localparam bit [63:0] A = 64'hAAAAAAAAAAAAAAAA, NZ = 64'hCCCCCCCCCCCCCCCC, NEG = 64'hF0F0F0F0F0F0F0F0;
  localparam bit [63:0] B = 64'hFF00FF00FF00FF00, NEG_B = 64'hFFFF0000FFFF0000, NZ_B = 64'hFFFFFFFF00000000;
  logic [W-1:0] s, p;
  for (genvar i = 0; i < W; i++) begin : gen_bit
    localparam bit [63:0] FLIP = {64{SIGNED && i == W - 1}};
    localparam bit [63:0] P = ((A ^ FLIP) & NZ) ^ NEG;
    LUT6_2 #(.INIT(P ^ ((B ^ FLIP ^ NEG_B) & NZ_B))) u_lut (
        .O6(s[i]), .O5(p[i]), .I0(a[i]), .I1(nz[0]), .I2(neg[0]), .I3(b[i]), .I4(neg[1]), .I5(nz[1])
    );
  end
  crq_carry #(.N(W)) u_carry (.ci(1'b0), .s(s), .di(p), .o(y[W-1:0]), .co(y[W]));
`else
  wire [W-1:0] flip = W'(SIGNED) << (W - 1);
  wire [W-1:0] p = ((a ^ flip) & {W{nz[0]}}) ^ {W{neg[0]}};
`ifdef CRQ_ECP5
  crq_ccu #(.N(W), .OUT(W + 1), .INIT(16'h96AA), .FLIP(SIGNED)) u_ccu (.a(p), .b(b), .c(neg[1]), .d(nz[1]), .y(y));
`else
  wire [W-1:0] q = ((b ^ flip) & {W{nz[1]}}) ^ {W{neg[1]}};
  // Kept: see crq_lane.
  (* keep *) wire [W:0] sum = {1'b0, p} + {1'b0, q};
  assign y = sum;
`endif
`endif
endmodule

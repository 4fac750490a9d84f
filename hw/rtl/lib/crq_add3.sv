// y = a + b + (clear ? 0 : c). Xilinx: per bit one LUT6_2, of the majority and the sum, and one carry.
module crq_add3 #(
    parameter int W = 8,
    parameter int O = 10  // at most W + 2
) (
    input  logic [W-1:0] a,
    input  logic [W-1:0] b,
    input  logic [W-1:0] c,
    input  logic         clear,
    output logic [O-1:0] y
);
`ifdef CRQ_XILINX
  localparam bit [63:0] A = 64'hAAAAAAAAAAAAAAAA, B = 64'hCCCCCCCCCCCCCCCC, CLEAR = 64'hFF00FF00FF00FF00;
  localparam bit [63:0] C = 64'hF0F0F0F0F0F0F0F0 & ~CLEAR, BELOW = 64'hFFFF0000FFFF0000, SUM = 64'hFFFFFFFF00000000;
  localparam int N = O < W + 1 ? O : W + 1;
  logic [W-1:0] s, majority;
  wire [W:0] below = {majority, 1'b0};
  for (genvar i = 0; i < W; i++) begin : gen_bit
    LUT6_2 #(.INIT((SUM & (A ^ B ^ C ^ BELOW)) | (~SUM & ((A & B) | (A & C) | (B & C))))) u_lut (
        .O6(s[i]), .O5(majority[i]), .I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(clear), .I4(below[i]), .I5(1'b1)
    );
  end
  // Above the operands stands the last majority alone.
  wire [W:0] all_s = {majority[W-1], s}, all_di = {1'b0, below[W-1:0]};
  wire [N:0] sum;
  crq_carry #(.N(N)) u_carry (.ci(1'b0), .s(all_s[N-1:0]), .di(all_di[N-1:0]), .o(sum[N-1:0]), .co(sum[N]));
  wire unused = &{sum, all_s, all_di, below};
  assign y = sum[O-1:0];
`else
  assign y = O'(a) + O'(b) + O'(clear ? '0 : c);
`endif
endmodule

// Cuts beats of LANES integers of BITS bits into bytes: each integer in whole bytes, the lowest first, its sign extended.
module crq_to_bytes #(
    parameter int LANES = 1,
    parameter int BITS = 12,
    parameter bit SIGNED = 1,
    parameter int EACH = (BITS + 7) / 8,
    parameter int N = LANES * EACH
) (
    input  logic                  clk,
    input  logic                  rst,
    input  logic                  in_valid,
    output logic                  in_ready,
    input  logic [LANES*BITS-1:0] in_data,
    output logic                  out_valid,
    input  logic                  out_ready,
    output logic [           7:0] out_data
);
  wire [N*8-1:0] wide;
  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire [BITS-1:0] value = in_data[l*BITS+:BITS];
    if (EACH * 8 == BITS) begin : gen_whole
      assign wide[l*EACH*8+:EACH*8] = value;
    end else begin : gen_wider
      assign wide[l*EACH*8+:EACH*8] = {{EACH * 8 - BITS{SIGNED && value[BITS-1]}}, value};
    end
  end
  logic [N-1:0] left;  // a one for each byte that is held
  logic [N*8-1:0] held;
  assign in_ready  = left == '0;
  assign out_valid = left[0];
  assign out_data  = held[7:0];
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (in_ready) left <= {N{in_valid}};
    else if (out_ready) left <= left >> 1;
    if (in_ready) held <= wide;
    else if (out_ready) held <= held >> 8;
  end
endmodule

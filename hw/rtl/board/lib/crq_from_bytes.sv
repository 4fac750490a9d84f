// Joins bytes into beats of LANES codes of BITS bits; each code comes in whole bytes, the lowest first.
module crq_from_bytes #(
    parameter int LANES = 1,
    parameter int BITS = 8,
    parameter int EACH = (BITS + 7) / 8,
    parameter int N = LANES * EACH
) (
    input  logic                  clk,
    input  logic                  rst,
    input  logic                  in_valid,
    output logic                  in_ready,
    input  logic [           7:0] in_data,
    output logic                  out_valid,
    input  logic                  out_ready,
    output logic [LANES*BITS-1:0] out_data
);
  logic [N-1:0] place;  // one-hot
  logic [N*8-1:0] held;
  wire [(N+1)*8-1:0] moved = {in_data, held};
  wire [N-1:0] next = (place << 1) | N'(place[N-1]);
  wire push = in_valid && in_ready;
  assign in_ready = !out_valid || out_ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      place <= N'(1);
      out_valid <= 1'b0;
    end else begin
      if (push) place <= next;
      out_valid <= (push && place[N-1]) || (out_valid && !out_ready);
    end
    if (push) held <= moved[(N+1)*8-1:8];
  end
  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    assign out_data[l*BITS+:BITS] = held[l*EACH*8+:BITS];
  end
  wire unused = &{held, moved[7:0]};
endmodule

// Cuts each beat of N * WIDTH bits into N beats, the low bits first.
(* keep_hierarchy *)
module crq_narrow #(
    parameter int WIDTH = 16,
    parameter int N = 4
) (
    input  logic               clk,
    input  logic               rst,
    input  logic               in_valid,
    output logic               in_ready,
    input  logic [N*WIDTH-1:0] in_data,
    output logic               out_valid,
    input  logic               out_ready,
    output logic [WIDTH-1:0]   out_data
);
  logic [N*WIDTH-1:0] held;
  logic [N-1:0] left;  // ones: beats that are still to be given
  assign out_valid = left[0];
  assign out_data  = held[WIDTH-1:0];
  assign in_ready  = !left[0] || (out_ready && !left[1]);
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (in_valid && in_ready) left <= '1;
    else if (out_ready) left <= left >> 1;
    if (in_valid && in_ready) held <= in_data;
    else if (out_ready) held <= held >> WIDTH;
  end
endmodule

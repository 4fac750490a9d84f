// Joins N beats of WIDTH bits into one, the first in the low bits.
(* keep_hierarchy *)
module crq_widen #(
    parameter int WIDTH = 16,
    parameter int N = 4
) (
    input  logic               clk,
    input  logic               rst,
    input  logic               in_valid,
    output logic               in_ready,
    input  logic [WIDTH-1:0]   in_data,
    output logic               out_valid,
    input  logic               out_ready,
    output logic [N*WIDTH-1:0] out_data
);
  logic [N-1:0] place;  // one-hot: of the next beat
  wire push = in_valid && in_ready;
  assign in_ready = !out_valid || out_ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      place <= N'(1);
      out_valid <= 1'b0;
    end else begin
      if (push) place <= {place[N-2:0], place[N-1]};
      out_valid <= (push && place[N-1]) || (out_valid && !out_ready);
    end
    if (push) out_data <= {in_data, out_data[N*WIDTH-1:WIDTH]};
  end
endmodule

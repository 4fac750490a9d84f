// Collects BLOCKS words of WIDTH bits, the first in the low bits, into one beat.
module crq_collect #(
    parameter int WIDTH = 4,
    parameter int BLOCKS = 4
) (
    input  logic                    clk,
    input  logic                    rst,
    input  logic                    en,
    input  logic                    push,
    input  logic                    last,
    input  logic [WIDTH-1:0]        d,
    output logic                    out_valid,
    output logic [BLOCKS*WIDTH-1:0] out_data
);
  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else if (en) out_valid <= push && last;
  end
  if (BLOCKS == 1) begin : gen_one
    always_ff @(posedge clk) if (en && push) out_data <= d;
  end else begin : gen_shift
    always_ff @(posedge clk) if (en && push) out_data <= {d, out_data[BLOCKS*WIDTH-1:WIDTH]};
  end
endmodule

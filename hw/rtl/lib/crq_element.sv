// Sequencer of a unit that works beat by beat on BLOCKS groups of channels: takes the beat with the last group.
module crq_element #(
    parameter int BLOCKS = 1,
    parameter int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1
) (
    input  logic          clk,
    input  logic          rst,
    input  logic          en,
    input  logic          in_valid,
    output logic          in_ready,
    output logic [BB-1:0] block,
    output logic          last
);
  assign in_ready = en && last;
  if (BLOCKS > 1) begin : gen_count
    logic [BB-1:0] count;
    always_ff @(posedge clk) begin
      if (rst) count <= '0;
      else if (en && in_valid) count <= last ? '0 : count + 1'b1;
    end
    assign block = count;
    assign last  = count == BB'(BLOCKS - 1);
  end else begin : gen_one
    logic unused;
    assign unused = clk && rst && in_valid;
    assign block  = '0;
    assign last   = 1'b1;
  end
endmodule

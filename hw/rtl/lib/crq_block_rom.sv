// Constants of the block of channels that a stage works on: word 0 after reset, the next one after each `advance`.
module crq_block_rom #(
    parameter int WIDTH = 8,
    parameter int BLOCKS = 2,
    parameter bit BLOCK = 0,
    parameter FILE = "",
    parameter int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             en,
    input  logic             advance,
    output logic [WIDTH-1:0] q
);
  logic [BB-1:0] block;
  wire [BB-1:0] next = !advance ? block : block == BB'(BLOCKS - 1) ? '0 : block + 1'b1;
  always_ff @(posedge clk) begin
    if (rst) block <= '0;
    else if (en) block <= next;
  end
  crq_rom #(.WIDTH(WIDTH), .DEPTH(BLOCKS), .BLOCK(BLOCK), .FILE(FILE)) u_rom (
      .clk(clk), .en(en), .address(next), .q(q)
  );
endmodule

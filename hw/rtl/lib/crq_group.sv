// Chunk of the window that a step reads where groups of output channels read different channels: the CHUNKS chunks of a
// group pass BLOCKS times before those of the next group follow.
module crq_group #(
    parameter int CHUNKS = 2,
    parameter int BLOCKS = 2,  // of output channels per group
    parameter int GROUPS = 2,
    parameter int SB = CHUNKS * GROUPS > 1 ? $clog2(CHUNKS * GROUPS) : 1
) (
    input  logic          clk,
    input  logic          rst,
    input  logic          go,  // one step is done
    output logic [SB-1:0] sel  // group * CHUNKS + chunk
);
  localparam int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1;
  localparam int CB = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
  logic [BB-1:0] block;
  logic [CB-1:0] chunk;
  wire last_chunk = chunk == CB'(CHUNKS - 1);
  wire last_block = block == BB'(BLOCKS - 1);
  wire last = sel == SB'(CHUNKS * GROUPS - 1);
  always_ff @(posedge clk) begin
    if (rst) begin
      chunk <= '0;
      block <= '0;
      sel   <= '0;
    end else if (go) begin
      chunk <= last_chunk ? '0 : chunk + 1'b1;
      if (last_chunk) block <= last_block ? '0 : block + 1'b1;
      if (!last_chunk) sel <= sel + 1'b1;
      else if (last_block) sel <= last ? '0 : sel + 1'b1;
      else sel <= sel - SB'(CHUNKS - 1);
    end
  end
endmodule

// Counts the steps of one window: CHUNKS steps of SIMD inputs for each of BLOCKS groups of PE output channels.
module crq_steps #(
    parameter int CHUNKS = 1,
    parameter int BLOCKS = 1,
    parameter int CB = CHUNKS > 1 ? $clog2(CHUNKS) : 1,
    parameter int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1,
    parameter int AB = CHUNKS * BLOCKS > 1 ? $clog2(CHUNKS * BLOCKS) : 1
) (
    input  logic          clk,
    input  logic          rst,
    input  logic          go,          // one step is done
    output logic [CB-1:0] chunk,
    output logic [BB-1:0] block,
    output logic [AB-1:0] address,     // block * CHUNKS + chunk
    output logic          first_chunk,
    output logic          last_chunk,
    output logic          last
);
  if (CHUNKS > 1) begin : gen_chunk
    logic [CB-1:0] count;
    always_ff @(posedge clk) begin
      if (rst) count <= '0;
      else if (go) count <= last_chunk ? '0 : count + 1'b1;
    end
    assign chunk = count;
    assign first_chunk = count == '0;
    assign last_chunk = count == CB'(CHUNKS - 1);
  end else begin : gen_one_chunk
    assign chunk = '0;
    assign first_chunk = 1'b1;
    assign last_chunk = 1'b1;
  end
  if (BLOCKS > 1) begin : gen_block
    logic [BB-1:0] count;
    always_ff @(posedge clk) begin
      if (rst) count <= '0;
      else if (go && last_chunk) count <= last ? '0 : count + 1'b1;
    end
    assign block = count;
    assign last  = last_chunk && count == BB'(BLOCKS - 1);
  end else begin : gen_one_block
    assign block = '0;
    assign last  = last_chunk;
  end
  if (CHUNKS * BLOCKS == 1) begin : gen_idle
    wire unused = clk && rst && go;
  end
  if (BLOCKS == 1) begin : gen_chunk_address
    assign address = chunk;
  end else if (CHUNKS == 1) begin : gen_block_address
    assign address = block;
  end else if (CHUNKS == 1 << CB) begin : gen_joined_address
    assign address = {block, chunk};
  end else begin : gen_counted_address
    logic [AB-1:0] count;
    always_ff @(posedge clk) begin
      if (rst) count <= '0;
      else if (go) count <= last ? '0 : count + 1'b1;
    end
    assign address = count;
  end
endmodule

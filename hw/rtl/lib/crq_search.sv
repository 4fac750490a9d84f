// Step of a binary search for the number of thresholds with x >= T[k]: reads the threshold that halves what is left
// of channel `block`'s table, one step per cycle. `prefix` holds the STEP higher bits of the code found so far.
(* keep_hierarchy *)
module crq_search #(
    parameter int WIDTH = 12,
    parameter int STEP = 0,
    parameter int BLOCKS = 1,
    parameter bit BLOCK = 0,
    parameter FILE = "",
    parameter int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1,
    parameter int PB = STEP > 0 ? STEP : 1
) (
    input  logic             clk,
    input  logic             en,
    input  logic [WIDTH-1:0] x,
    input  logic [BB-1:0]    block,
    input  logic [PB-1:0]    prefix,
    output logic [WIDTH-1:0] x_next,
    output logic [BB-1:0]    block_next,
    output logic [STEP:0]    prefix_next
);
  localparam int DEPTH = BLOCKS << STEP;
  localparam int AB = DEPTH > 1 ? $clog2(DEPTH) : 1;
  logic [WIDTH-1:0] t;
  wire [AB-1:0] address;
  if (STEP == 0) begin : gen_first
    logic unused;
    assign unused  = prefix[0];
    assign address = block;
    assign prefix_next = $signed(x_next) >= $signed(t);
  end else begin : gen_later
    logic [PB-1:0] held;
    always_ff @(posedge clk) if (en) held <= prefix;
    if (BLOCKS > 1) begin : gen_blocks
      assign address = {block, prefix};
    end else begin : gen_one
      assign address = prefix;
    end
    assign prefix_next = {held, $signed(x_next) >= $signed(t)};
  end
  always_ff @(posedge clk) begin
    if (en) begin
      x_next <= x;
      block_next <= block;
    end
  end
  crq_rom #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(BLOCK), .FILE(FILE)) u_rom (
      .clk(clk), .en(en), .address(address), .q(t)
  );
endmodule

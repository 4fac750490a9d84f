// Search of a sequential stage in a table: `found` is whether `x` reaches the entry of `channel` at `node` (heap order:
// 1 is the root, 2n and 2n + 1 are below n). In LUTs the entry is read as it is compared; in block RAM a cycle before,
// at the node that the comparison chooses. AHEAD: LUTs too are read a cycle before, for two bits and more: both entries
// below the node, side by side in FILE, {2n + 1, 2n}, and the root of the channel that is next. It is known then, as a
// search takes a cycle per bit.
module crq_searcher #(
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter int CHANNELS = 4,
    parameter bit BLOCK = 0,
    parameter FILE = "",
    parameter bit AHEAD = 0,
    parameter int AB = CHANNELS > 1 ? $clog2(CHANNELS) : 1
) (
    input  logic             clk,
    input  logic             fetch,
    input  logic             step,
    input  logic [AB-1:0]    channel,
    input  logic [WIDTH-1:0] x,
    input  logic [BITS-1:0]  node,
    output logic             found
);
  localparam int DEPTH = CHANNELS << BITS;
  logic [AB-1:0] current;
  logic [WIDTH-1:0] held, t;
  always_ff @(posedge clk) begin
    if (fetch) begin
      current <= channel;
      held <= x;
    end
  end
  assign found = $signed(held) >= $signed(t);
  if (BLOCK) begin : gen_block
    wire [BITS:0] below = {node, found};
    wire [AB+BITS-1:0] place = fetch ? {channel, BITS'(1)} : {current, below[BITS-1:0]};
    wire unused = &{below[BITS], place};
    crq_rom #(.WIDTH(WIDTH), .DEPTH(DEPTH), .BLOCK(1), .FILE(FILE)) u_rom (
        .clk(clk), .en(fetch || step), .address(place[$clog2(DEPTH)-1:0]), .q(t)
    );
  end else if (AHEAD) begin : gen_ahead
    (* rom_style = "logic" *)
    logic [2*WIDTH-1:0] pairs[0:DEPTH/2-1];
    initial $readmemh(FILE, pairs);
    wire [AB+BITS-2:0] place = {current, node[BITS-2:0]}, first = {channel, (BITS - 1)'(0)};
    wire unused = &{place, first, node[BITS-1]};
    wire [2*WIDTH-1:0] below = pairs[place[$clog2(DEPTH)-2:0]], top = pairs[first[$clog2(DEPTH)-2:0]];
    logic [WIDTH-1:0] root;
    always_ff @(posedge clk) begin
      root <= top[WIDTH+:WIDTH];
      if (fetch) t <= root;
      else if (step) t <= found ? below[WIDTH+:WIDTH] : below[WIDTH-1:0];
    end
    wire unused_top = &top;
  end else begin : gen_lut
    wire [AB+BITS-1:0] place = {current, node};
    wire unused = &{step, place};
    (* rom_style = "logic" *)
    logic [WIDTH-1:0] words[0:DEPTH-1];
    initial $readmemh(FILE, words);
    assign t = words[place[$clog2(DEPTH)-1:0]];
  end
endmodule

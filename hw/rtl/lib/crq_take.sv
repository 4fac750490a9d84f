// Control of a sequential stage: each searcher takes LANES sums at once and finds their codes one after another, BITS
// cycles each. `load` may be high where `free` is; `fetch` begins the search of `channel` = {block, lane}, a `step`
// finds a bit, `done` its last. A finished block waits in the searchers' registers while the next is begun. QUICK, for
// two bits and more: a block that leaves in this very cycle is waited for as well, so that `free` hangs on registers
// alone; while the consumer is ready nothing is lost, as no code is due in that cycle.
module crq_take #(
    parameter int LANES = 4,  // of one searcher
    parameter int BITS = 4,
    parameter int BLOCKS = 4,
    parameter bit QUICK = 0,
    parameter int JB = LANES > 1 ? $clog2(LANES) : 0,
    parameter int KB = BLOCKS > 1 ? $clog2(BLOCKS) : 0,
    parameter int AB = JB + KB > 0 ? JB + KB : 1
) (
    input  logic          clk,
    input  logic          rst,
    input  logic          load,
    output logic          free,
    output logic          fetch,
    output logic          step,
    output logic          done,
    output logic [AB-1:0] channel,
    output logic          out_valid,
    input  logic          out_ready
);
  logic busy, last, first;
  assign step  = busy && !(last && out_valid && (QUICK || !out_ready));
  assign done  = step && last;
  assign free  = !busy || (done && first);
  assign fetch = load || (done && !first);
  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      busy <= load || !free;
      out_valid <= (done && first) || (out_valid && !out_ready);
    end
  end
  if (BITS == 1) begin : gen_bit
    assign last = 1'b1;
  end else begin : gen_bits
    logic [BITS-1:0] place;  // one-hot
    always_ff @(posedge clk) begin
      if (rst) place <= BITS'(1);
      else if (step) place <= {place[BITS-2:0], place[BITS-1]};
    end
    assign last = place[BITS-1];
  end
  // The lane that is next: after the last comes the first, which waits for a load.
  logic turn;
  if (LANES == 1) begin : gen_lane
    assign first = 1'b1;
    assign turn  = fetch;
  end else begin : gen_lanes
    logic [JB-1:0] lane;
    always_ff @(posedge clk) begin
      if (rst) lane <= '0;
      else if (fetch) lane <= lane == JB'(LANES - 1) ? '0 : lane + 1'b1;
    end
    assign first = lane == '0;
    assign turn = fetch && lane == JB'(LANES - 1);
    assign channel[JB-1:0] = lane;
  end
  if (BLOCKS == 1) begin : gen_block
    if (LANES == 1) begin : gen_none
      assign channel = 1'b0;
    end
    logic unused;
    assign unused = turn;
  end else begin : gen_blocks
    logic [KB-1:0] block;
    always_ff @(posedge clk) begin
      if (rst) block <= '0;
      else if (turn) block <= block == KB'(BLOCKS - 1) ? '0 : block + 1'b1;
    end
    assign channel[AB-1:JB] = block;
  end
endmodule

// Search of a sequential stage without a table, for entries ((b + k * D) >> F) + 1: x reaches entry k if k * D is at
// most the remainder x * 2**F - b - 1, so that the code is a quotient. A division finds it: each step, `found` is
// whether D goes into the remainder's upper part. FILE holds {D, -b - 1} of each channel. AHEAD: they are read a cycle
// before, for two bits and more, as crq_searcher reads the roots. TIES: a sum exactly on b + k * D meets entry k where
// k is even; FILE holds {D, -b}, and the lowest bit, the only one of odd k, is met by more than D alone.
module crq_ramp #(
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter int CHANNELS = 4,
    parameter int F = 8,
    parameter int BB = 12,  // bits of b, signed
    parameter int DB = 8,   // bits of D, unsigned
    parameter int RB = 20,  // bits of every channel's remainder, signed
    parameter FILE = "",
    parameter bit AHEAD = 0,
    parameter bit TIES = 0,
    parameter int FIRST = 0,  // bits of the number of entries before, in front of D; 0: none
    parameter int FB = FIRST > 0 ? FIRST : 1,
    parameter int AB = CHANNELS > 1 ? $clog2(CHANNELS) : 1
) (
    input  logic             clk,
    input  logic             fetch,
    input  logic             step,
    input  logic [AB-1:0]    channel,
    input  logic [WIDTH-1:0] x,
    output logic             found,
    output logic [FB-1:0]    below
);
  // A remainder of more bits is more than all 2**BITS * D, and stays so, bit after bit: the code is the largest.
  localparam int W = DB + BITS;
  (* rom_style = "logic" *)
  logic [FIRST+DB+BB-1:0] words[0:CHANNELS-1];
  initial $readmemh(FILE, words);
  logic [FIRST+DB+BB-1:0] word;
  if (AHEAD) begin : gen_ahead
    always_ff @(posedge clk) word <= words[channel];
  end else begin : gen_now
    assign word = words[channel];
  end
  wire [RB-1:0] start = RB'($signed(word[BB-1:0]));
  wire [RB-F-1:0] upper = (RB - F)'($signed(x)) + start[RB-1:F];
  wire unused = &x;  // its upper bits, where every remainder is narrower
  wire [RB-1:0] first;
  if (F > 0) begin : gen_fraction
    assign first = {upper, start[F-1:0]};
  end else begin : gen_whole
    assign first = upper;
  end
  logic negative, over, too_much;
  if (RB - 1 > W) begin : gen_over
    assign too_much = |first[RB-2:W];
  end else begin : gen_fits
    assign too_much = 1'b0;
  end
  logic [DB-1:0] d;
  logic [W-1:0] left;
  wire [DB:0] top = left[W-1:BITS-1];
  wire [DB+1:0] less = {1'b0, top} - (DB + 2)'(d);
  wire [DB:0] kept = less[DB+1] ? top : less[DB:0];
  if (FIRST > 0) begin : gen_below
    always_ff @(posedge clk) if (fetch) below <= word[DB+BB+:FIRST];
  end else begin : gen_no_below
    assign below = 1'b0;
  end
  logic tie;
  if (TIES) begin : gen_ties
    logic [BITS-1:0] place;  // one-hot, the lowest bit last
    always_ff @(posedge clk) if (fetch || step) place <= fetch ? BITS'(1) : place << 1;
    assign tie = place[BITS-1] && less == '0;
  end else begin : gen_none
    assign tie = 1'b0;
  end
  assign found = !negative && (over || !(less[DB+1] || tie));
  always_ff @(posedge clk) begin
    if (fetch) begin
      d <= word[BB+:DB];
      negative <= first[RB-1];
    end
    if (fetch || step) over <= fetch ? too_much : over || kept[DB];
  end
  if (BITS == 1) begin : gen_bit
    always_ff @(posedge clk) if (fetch) left <= W'($signed(first));
  end else begin : gen_bits
    // What follows the lowest bit is not looked at: it stays as it is.
    always_ff @(posedge clk) if (fetch || step) left <= fetch ? W'($signed(first)) : {kept[DB-1:0], left[BITS-2:0], left[0]};
  end
endmodule

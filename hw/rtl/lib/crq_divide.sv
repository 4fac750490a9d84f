// Code of a sum whose thresholds are a progression, in a pipeline: what crq_ramp finds one bit per cycle, found in BITS
// steps of which each has registers of its own. `word` is {D, -b - 1}, with TIES {D, -b}, of the sum's channel. BITS
// cycles from `x` to `code`, of which the last step is not registered; for two bits and more.
(* keep_hierarchy *)
module crq_divide #(
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int F = 8,
    parameter int BB = 12,  // bits of b, signed
    parameter int DB = 8,   // bits of D, unsigned
    parameter int RB = 20,  // bits of every channel's remainder, signed
    parameter int FIRST = 0,  // bits of the number of entries before, in front of D; 0: none
    parameter bit TIES = 0  // a sum exactly on b + k * D meets entry k where k is even
) (
    input  logic             clk,
    input  logic             en,
    input  logic [WIDTH-1:0] x,
    input  logic [FIRST+DB+BB-1:0] word,
    output logic [BITS-1:0]  code
);
  // A remainder of more bits is more than all 2**BITS * D: the code is the largest.
  localparam int W = DB + BITS;
  wire [RB-1:0] start = RB'($signed(word[BB-1:0]));
  wire [RB-F-1:0] upper = (RB - F)'($signed(x)) + start[RB-1:F];
  wire [RB-1:0] first;
  if (F > 0) begin : gen_fraction
    assign first = {upper, start[F-1:0]};
  end else begin : gen_whole
    assign first = upper;
  end
  logic too_much;
  if (RB - 1 > W) begin : gen_over
    assign too_much = |first[RB-2:W];
  end else begin : gen_fits
    assign too_much = 1'b0;
  end
  wire [W-1:0] begin_left = W'($signed(first));
  for (genvar i = 0; i < BITS; i++) begin : gen_step
    logic [DB-1:0] d;
    logic [W-1:0] left;
    logic negative, over;
    logic [BITS-1:0] found;  // bits above that of this step
    wire [DB:0] top = left[W-1:BITS-1];
    wire [DB+1:0] less = {1'b0, top} - (DB + 2)'(d);
    wire tie = TIES && i == BITS - 1 && less == '0;
    wire met = !negative && (over || !(less[DB+1] || tie));
    wire [DB:0] kept = less[DB+1] ? top : less[DB:0];
    // What the last step leaves, and the place of a bit that is shifted out, nobody reads.
    logic unused;
    assign unused = ^{left, kept, found};
    if (i == 0) begin : gen_first
      always_ff @(posedge clk) begin
        if (en) begin
          d <= word[BB+:DB];
          left <= begin_left;
          negative <= first[RB-1];
          over <= too_much;
          found <= '0;
        end
      end
    end else begin : gen_later
      always_ff @(posedge clk) begin
        if (en) begin
          d <= gen_step[i-1].d;
          left <= {gen_step[i-1].kept[DB-1:0], gen_step[i-1].left[BITS-2:0], 1'b0};
          negative <= gen_step[i-1].negative;
          over <= gen_step[i-1].over || gen_step[i-1].kept[DB];
          found <= {gen_step[i-1].found[BITS-2:0], gen_step[i-1].met};
        end
      end
    end
  end
  wire [BITS-1:0] bits_found = {gen_step[BITS-1].found[BITS-2:0], gen_step[BITS-1].met};
  logic [BITS-1:0] number;
  if (FIRST > 0) begin : gen_below
    logic [FIRST-1:0] below[0:BITS-1];
    always_ff @(posedge clk) if (en) below[0] <= word[DB+BB+:FIRST];
    for (genvar i = 1; i < BITS; i++) begin : gen_wait
      always_ff @(posedge clk) if (en) below[i] <= below[i-1];
    end
    wire [BITS:0] sum = {1'b0, bits_found} + (BITS + 1)'(below[BITS-1]);
    assign number = sum[BITS] ? '1 : sum[BITS-1:0];
  end else begin : gen_none
    assign number = bits_found;
  end
  assign code = number ^ (BITS'(SIGNED) << (BITS - 1));
endmodule

// Code = number of thresholds T[k] with x >= T[k], all compared at once; T ascending. Entries without LIVE are
// constant: true where HIGH. A signed code is offset by half its range, which inverts its top bit.
(* keep_hierarchy *)
module crq_compare #(
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int K = (1 << BITS) - 1,
    parameter bit [K-1:0] LIVE = '1,
    parameter bit [K-1:0] HIGH = '0,
    parameter bit FIXED = 0,  // thresholds are FIXED_T instead of the port
    parameter bit [K*WIDTH-1:0] FIXED_T = '0,
    parameter int SPLIT = 0  // registers behind the comparators
) (
    input  logic               clk,
    input  logic               en,
    input  logic [WIDTH-1:0]   x,
    input  logic [K*WIDTH-1:0] t,
    output logic [BITS-1:0]    code
);
  wire [K*WIDTH-1:0] thresholds = FIXED ? FIXED_T : t;
  wire unused = &{x, thresholds};  // constant entries compare with nothing
  logic [K-1:0] compared, above;
  for (genvar k = 0; k < K; k++) begin : gen_compare
    if (LIVE[k]) begin : gen_live
      assign compared[k] = $signed(x) >= $signed(thresholds[k*WIDTH+:WIDTH]);
    end else begin : gen_constant
      assign compared[k] = HIGH[k];
    end
  end
  if (SPLIT == 0) begin : gen_at_once
    wire unused_clock = clk && en;
    assign above = compared;
  end else begin : gen_split
    logic [K*SPLIT-1:0] chain;
    wire [K*(SPLIT+1)-1:0] moved = {chain, compared};
    always_ff @(posedge clk) if (en) chain <= moved[K*SPLIT-1:0];
    assign above = moved[K*SPLIT+:K];
  end
  // `above` is a thermometer: bit b of the count is the entry half way through the span that the higher bits select.
  logic [BITS-1:0] count;
  for (genvar b = 0; b < BITS; b++) begin : gen_bit
    localparam int N = 1 << (BITS - 1 - b);
    logic [N-1:0] middle;
    for (genvar i = 0; i < N; i++) begin : gen_middle
      assign middle[i] = above[(i<<(b+1))+(1<<b)-1];
    end
    if (N == 1) begin : gen_top
      assign count[b] = middle;
    end else begin : gen_lower
      crq_mux #(.WIDTH(1), .N(N)) u_mux (.d(middle), .sel(count[BITS-1:b+1]), .q(count[b]));
    end
  end
  assign code = SIGNED ? count ^ (BITS'(1) << (BITS - 1)) : count;
endmodule

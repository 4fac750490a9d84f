// Codes that end before the first or the last of their format: LANES codes of BITS, as their number from the lowest one
// raised to LEAST and lowered to MOST. No registers.
(* keep_hierarchy *)
module crq_clamp #(
    parameter int LANES = 4,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int LEAST = 1,
    parameter int MOST = 14
) (
    input  logic [LANES*BITS-1:0] d,
    output logic [LANES*BITS-1:0] q
);
  localparam logic [BITS-1:0] TOP = BITS'(SIGNED) << (BITS - 1);
  localparam bit LOWEST = LEAST == 0, HIGHEST = MOST == (1 << BITS) - 1;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    wire [BITS-1:0] code = d[i*BITS+:BITS] ^ TOP;
    wire [BITS-1:0] raised, kept;
    if (LOWEST) begin : gen_lowest
      assign raised = code;
    end else begin : gen_least
      assign raised = code < BITS'(LEAST) ? BITS'(LEAST) : code;
    end
    if (HIGHEST) begin : gen_highest
      assign kept = raised;
    end else begin : gen_most
      assign kept = raised > BITS'(MOST) ? BITS'(MOST) : raised;
    end
    assign q[i*BITS+:BITS] = kept ^ TOP;
  end
endmodule

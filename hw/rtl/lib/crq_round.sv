// LANES codes: (x + OFFSET) / 2**SHIFT, rounded half to even and clamped to BITS bits. No registers.
(* keep_hierarchy *)
module crq_round #(
    parameter int LANES = 4,
    parameter int WIDTH = 9,  // signed
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int SHIFT = 4,
    parameter int OFFSET = 0,
    parameter int OB = WIDTH + 1  // bits of x + OFFSET
) (
    input  logic [LANES*WIDTH-1:0] x,
    output logic [LANES*BITS-1:0]  codes
);
  // At least two bits above the code's.
  localparam int W = OB > BITS + SHIFT + 2 ? OB : BITS + SHIFT + 2;
  localparam int QB = W - SHIFT;
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    wire [W-1:0] sum = W'($signed(x[i*WIDTH+:WIDTH])) + W'(OFFSET);
    wire [QB-1:0] whole = sum[W-1:SHIFT];
    logic up;
    if (SHIFT == 0) begin : gen_exact
      assign up = 1'b0;
    end else if (SHIFT == 1) begin : gen_half
      assign up = sum[0] && sum[1];
    end else begin : gen_part
      assign up = sum[SHIFT-1] && (sum[SHIFT] || |sum[SHIFT-2:0]);
    end
    wire [BITS-1:0] low = whole[BITS-1:0], lowest = BITS'(SIGNED) << (BITS - 1);
    wire below = whole[QB-1] && !(SIGNED && &whole[QB-1:BITS-1]);
    wire above = !whole[QB-1] && (|whole[QB-2:BITS] || (SIGNED && whole[BITS-1]) || low == ~lowest);
    assign codes[i*BITS+:BITS] = below ? lowest : above ? ~lowest : low + BITS'(up);
  end
endmodule

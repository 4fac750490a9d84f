// Largest of N numbers of BITS bits.
module crq_max #(
    parameter int N = 4,
    parameter int BITS = 4,
    parameter bit SIGNED = 0
) (
    input  logic [N*BITS-1:0] d,
    output logic [BITS-1:0]   q
);
  localparam bit [BITS-1:0] SIGN = BITS'(SIGNED) << (BITS - 1);
  if (N == 1) begin : gen_end
    assign q = d;
  end else begin : gen_level
    localparam int HALF = (N + 1) / 2;
    logic [HALF*BITS-1:0] next;
    for (genvar i = 0; i < HALF; i++) begin : gen_pair
      if (2 * i + 1 < N) begin : gen_two
        wire [BITS-1:0] a = d[2*i*BITS+:BITS];
        wire [BITS-1:0] b = d[(2*i+1)*BITS+:BITS];
        // A signed comparison is mapped worse than one of numbers whose sign is inverted.
        wire a_wins = (a ^ SIGN) >= (b ^ SIGN);
        assign next[i*BITS+:BITS] = a_wins ? a : b;
      end else begin : gen_odd
        assign next[i*BITS+:BITS] = d[2*i*BITS+:BITS];
      end
    end
    crq_max #(.N(HALF), .BITS(BITS), .SIGNED(SIGNED)) u_rest (.d(next), .q(q));
  end
endmodule

// Largest of N numbers of BITS bits, and which it is: of equal ones the first.
module crq_first #(
    parameter int N = 4,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int IB = N > 1 ? $clog2(N) : 1
) (
    input  logic [N*BITS-1:0] d,
    output logic [BITS-1:0]   q,
    output logic [IB-1:0]     index
);
  localparam bit [BITS-1:0] SIGN = BITS'(SIGNED) << (BITS - 1);
  if (N == 1) begin : gen_end
    assign q = d;
    assign index = '0;
  end else begin : gen_level
    localparam int HALF = (N + 1) / 2;
    localparam int HB = HALF > 1 ? $clog2(HALF) : 1;
    logic [HALF*BITS-1:0] next;
    logic [HALF-1:0] second;
    wire [HB-1:0] pair;
    for (genvar i = 0; i < HALF; i++) begin : gen_pair
      if (2 * i + 1 < N) begin : gen_two
        wire [BITS-1:0] a = d[2*i*BITS+:BITS];
        wire [BITS-1:0] b = d[(2*i+1)*BITS+:BITS];
        // A signed comparison is mapped worse than one of numbers whose sign is inverted.
        assign second[i] = (b ^ SIGN) > (a ^ SIGN);
        assign next[i*BITS+:BITS] = second[i] ? b : a;
      end else begin : gen_odd
        assign second[i] = 1'b0;
        assign next[i*BITS+:BITS] = d[2*i*BITS+:BITS];
      end
    end
    crq_first #(.N(HALF), .BITS(BITS), .SIGNED(SIGNED)) u_rest (.d(next), .q(q), .index(pair));
    if (HALF == 1) begin : gen_last
      assign index = second;
      logic unused;
      assign unused = pair[0];
    end else begin : gen_more
      assign index = {pair, second[pair]};
    end
  end
endmodule

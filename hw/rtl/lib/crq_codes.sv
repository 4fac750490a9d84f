// The lanes of one searcher: holds LANES sums, hands them out as `x` one after another, the first straight from the
// port, and collects their codes. `node` is the place in the tree of the search, 1 above the bits found so far.
module crq_codes #(
    parameter int LANES = 4,
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int FIRST = 0,  // bits of `below`, which is added to the code; 0: it is not
    parameter int FB = FIRST > 0 ? FIRST : 1,
    parameter int JB = LANES > 1 ? $clog2(LANES) : 1
) (
    input  logic                   clk,
    input  logic                   load,
    input  logic                   fetch,
    input  logic                   step,
    input  logic                   done,
    input  logic [JB-1:0]          lane,
    input  logic [LANES*WIDTH-1:0] sums,
    output logic [WIDTH-1:0]       x,
    output logic [BITS-1:0]        node,
    input  logic                   found,
    input  logic [FB-1:0]          below,
    output logic [LANES*BITS-1:0]  codes
);
  logic [BITS-1:0] code;
  if (BITS == 1) begin : gen_bit
    logic unused;
    assign unused = fetch && step && below[0];
    assign node = 1'b1;
    assign code = found ^ SIGNED;
  end else begin : gen_bits
    always_ff @(posedge clk) begin
      if (fetch) node <= BITS'(1);
      else if (step) node <= {node[BITS-2:0], found};
    end
    wire [BITS-1:0] bits_found = {node[BITS-2:0], found};
    logic [BITS-1:0] number;
    if (FIRST > 0) begin : gen_below
      wire [BITS:0] sum = {1'b0, bits_found} + (BITS + 1)'(below);
      assign number = sum[BITS] ? '1 : sum[BITS-1:0];
    end else begin : gen_none
      logic unused;
      assign unused = below[0];
      assign number = bits_found;
    end
    assign code = number ^ (BITS'(SIGNED) << (BITS - 1));
  end
  if (LANES == 1) begin : gen_one
    logic unused;
    assign unused = load && lane[0];
    assign x = sums;
    always_ff @(posedge clk) if (done) codes <= code;
  end else begin : gen_many
    logic [LANES*WIDTH-1:WIDTH] held;
    always_ff @(posedge clk) begin
      if (load) held <= sums[LANES*WIDTH-1:WIDTH];
      if (done) codes <= {code, codes[LANES*BITS-1:BITS]};
    end
    crq_mux #(.WIDTH(WIDTH), .N(LANES)) u_mux (.d({held, sums[WIDTH-1:0]}), .sel(lane), .q(x));
  end
endmodule

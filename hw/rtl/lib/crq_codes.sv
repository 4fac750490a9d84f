// The lanes of one searcher: holds LANES sums, hands them out as `x` one after another, the first straight from the
// port, and collects their codes. `node` is the place in the tree of the search, 1 above the bits found so far.
module crq_codes #(
    parameter int LANES = 4,
    parameter int WIDTH = 12,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
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
    output logic [LANES*BITS-1:0]  codes
);
  logic [BITS-1:0] code;
  if (BITS == 1) begin : gen_bit
    logic unused;
    assign unused = fetch && step;
    assign node = 1'b1;
    assign code = found ^ SIGNED;
  end else begin : gen_bits
    always_ff @(posedge clk) begin
      if (fetch) node <= BITS'(1);
      else if (step) node <= {node[BITS-2:0], found};
    end
    assign code = {node[BITS-2:0], found} ^ (BITS'(SIGNED) << (BITS - 1));
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

// One output channel with its weights built in: N non-zero terms, those of NEG complemented, plus a constant.
(* keep_hierarchy *)
module crq_pe_fixed #(
    parameter int N = 4,
    parameter int BITS = 4,  // of a signed term
    parameter bit [N-1:0] NEG = '0,
    parameter int ACC = 12,
    parameter bit [ACC-1:0] START = '0,
    parameter int WAIT = 0  // cycles to wait for channels with more terms
) (
    input  logic              clk,
    input  logic              en,
    input  logic [N*BITS-1:0] x,
    output logic [ACC-1:0]    acc
);
  logic [N*BITS-1:0] terms;
  for (genvar i = 0; i < N; i++) begin : gen_term
    assign terms[i*BITS+:BITS] = x[i*BITS+:BITS] ^ {BITS{NEG[i]}};
  end
  localparam int S = BITS + $clog2(N);
  logic [S-1:0] sum, waited;
  crq_tree #(.N(N), .W(BITS)) u_tree (.clk(clk), .en(en), .d(terms), .q(sum));
  if (WAIT == 0) begin : gen_done
    assign waited = sum;
  end else begin : gen_wait
    logic [S*WAIT-1:0] chain;
    wire [S*(WAIT+1)-1:0] moved = {chain, sum};
    always_ff @(posedge clk) if (en) chain <= moved[S*WAIT-1:0];
    assign waited = moved[S*WAIT+:S];
  end
  wire unused = &waited;
  assign acc = ACC'($signed(waited)) + START;
endmodule

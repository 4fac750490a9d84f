// Adds one or two terms to an accumulator that begins with `start`: acc <= terms + (first ? start : acc).
module crq_acc #(
    parameter int N = 1,
    parameter int W = 8,
    parameter int ACC = 12,
    parameter bit SINGLE = 0,  // every sum is the first: nothing to accumulate
    parameter bit ZERO = 0  // start is zero
) (
    input  logic           clk,
    input  logic           en,
    input  logic [N*W-1:0] d,
    input  logic           first,
    input  logic [ACC-1:0] start,
    output logic [ACC-1:0] acc
);
  wire unused = &{d, first, start};  // the accumulator's range may need fewer bits than the terms'
  wire [ACC-1:0] term = ACC'(d[W-1:0]);
  logic [ACC-1:0] sum;
  always_ff @(posedge clk) if (en) acc <= sum;
`ifdef CRQ_XILINX
  if (N == 2 && !(SINGLE && ZERO)) begin : gen_two
    wire [ACC-1:0] c = ZERO ? acc : SINGLE || first ? start : acc;
    crq_add3 #(.W(ACC), .O(ACC)) u_add (.a(term), .b(ACC'(d[N*W-1-:W])), .c(c), .clear(ZERO && first), .y(sum));
  end else if (N == 1 && !SINGLE) begin : gen_one
    localparam bit [63:0] A = 64'hAAAAAAAAAAAAAAAA, BEFORE = 64'hCCCCCCCCCCCCCCCC, FIRST = 64'hF0F0F0F0F0F0F0F0;
    localparam bit [63:0] START = 64'hFF00FF00FF00FF00, SUM = 64'hFFFFFFFF00000000;
    localparam bit [63:0] B = (FIRST & START) | (~FIRST & BEFORE);
    logic [ACC-1:0] s, di;
    for (genvar i = 0; i < ACC; i++) begin : gen_bit
      LUT6_2 #(.INIT(A ^ (B & SUM))) u_lut (
          .O6(s[i]), .O5(di[i]), .I0(term[i]), .I1(acc[i]), .I2(first), .I3(!ZERO && start[i]), .I4(1'b1), .I5(1'b1)
      );
    end
    logic unused_carry;
    crq_carry #(.N(ACC)) u_carry (.ci(1'b0), .s(s), .di(di), .o(sum), .co(unused_carry));
  end else
`elsif CRQ_ECP5
  if (ZERO && !SINGLE) begin : gen_gated
    wire [ACC-1:0] all;
    crq_ccu #(.N(ACC), .INIT(16'hA6AA)) u_ccu (.a(all), .b(acc), .c(first), .d(1'b1), .y(sum));
    (* keep *) wire [ACC-1:0] terms = N == 2 ? term + ACC'(d[N*W-1-:W]) : term;
    assign all = terms;
  end else
`endif
  if (1) begin : gen_operators
    // Kept: see crq_lane.
    (* keep *) wire [ACC-1:0] terms = N == 2 ? term + ACC'(d[N*W-1-:W]) : term;
    if (SINGLE) begin : gen_single
      assign sum = ZERO ? terms : terms + start;
    end else begin : gen_many
      assign sum = terms + (first ? (ZERO ? '0 : start) : acc);
    end
  end
endmodule

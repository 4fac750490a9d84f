// Sum of N terms, added to an accumulator: adders of RADIX operands, registered after every second level, and what is
// left of REGISTERS behind the last one. The accumulator takes two terms where a third would cost an adder more.
module crq_lane #(
    parameter int N = 4,
    parameter int W = 5,
    parameter int BASE = 4,  // bits of a product
    parameter int COUNT = 2,  // products in the largest term
    parameter int TOTAL = 8,  // in all terms
    parameter int RADIX = 2,
    parameter int LEVEL = 1,  // of adders before this one
    parameter int REGISTERS = 1,  // to come
    parameter int ACC = 12,
    parameter bit SINGLE = 0,
    parameter bit ZERO = 0
) (
    input  logic           clk,
    input  logic           en,
    input  logic [N*W-1:0] d,
    input  logic           first,
    input  logic [ACC-1:0] start,
    output logic [ACC-1:0] acc
);
  localparam bit DUE = LEVEL > 0 && LEVEL % 2 == 0 && REGISTERS > 0;
  localparam bit LAST = RADIX == 3 || REGISTERS == 0 || (DUE && REGISTERS == 1);  // no room for an adder of its own
  localparam bit END = N == 1 || (N == 2 && LAST);
  localparam int STAGES = END ? REGISTERS : DUE ? 1 : 0;
  logic [N*W-1:0] now;
  if (STAGES == 0) begin : gen_wire
    assign now = d;
  end else begin : gen_registers
    logic [N*W*STAGES-1:0] chain;
    wire [N*W*(STAGES+1)-1:0] moved = {chain, d};
    always_ff @(posedge clk) if (en) chain <= moved[N*W*STAGES-1:0];
    assign now = moved[N*W*STAGES+:N*W];
  end
  if (END) begin : gen_end
    crq_acc #(.N(N), .W(W), .ACC(ACC), .SINGLE(SINGLE), .ZERO(ZERO)) u_acc (
        .clk(clk), .en(en), .d(now), .first(first), .start(start), .acc(acc)
    );
  end else begin : gen_level
    localparam int GROUPS = N / RADIX;
    localparam int REST = N - RADIX * GROUPS;
    localparam int NEXT = GROUPS + REST;
    localparam int MOST = COUNT * RADIX < TOTAL ? COUNT * RADIX : TOTAL;
    localparam int FULL = BASE + $clog2(MOST);
    localparam int O = FULL < ACC || FULL <= W ? FULL : (ACC > W ? ACC : W);  // higher bits are dropped anyway
    // Kept, so that synthesis does not merge the levels into carry-save adders that cost more.
    (* keep *) logic [NEXT*O-1:0] sums;
    for (genvar i = 0; i < GROUPS; i++) begin : gen_add
      // With three operands the terms left over go to the front: the next level adds them first.
      localparam int AT = RADIX == 3 ? i + REST : i;
      if (RADIX == 3) begin : gen_three
        crq_add3 #(.W(W), .O(O)) u_add (
            .a(now[3*i*W+:W]), .b(now[(3*i+1)*W+:W]), .c(now[(3*i+2)*W+:W]), .clear(1'b0), .y(sums[AT*O+:O])
        );
      end else begin : gen_two
        assign sums[AT*O+:O] = O'(now[2*i*W+:W]) + O'(now[(2*i+1)*W+:W]);
      end
    end
    for (genvar i = 0; i < REST; i++) begin : gen_rest
      localparam int AT = RADIX == 3 ? i : i + GROUPS;
      assign sums[AT*O+:O] = O'(now[(RADIX*GROUPS+i)*W+:W]);
    end
    crq_lane #(
        .N(NEXT), .W(O), .BASE(BASE), .COUNT(MOST), .TOTAL(TOTAL), .RADIX(RADIX), .LEVEL(LEVEL + 1),
        .REGISTERS(REGISTERS - STAGES), .ACC(ACC), .SINGLE(SINGLE), .ZERO(ZERO)
    ) u_rest (.clk(clk), .en(en), .d(sums), .first(first), .start(start), .acc(acc));
  end
endmodule

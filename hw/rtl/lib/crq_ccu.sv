`ifdef CRQ_ECP5
// Carry chain of N bits, its LUTs of (a, b, c, d) given by INIT and equal to a where c and d are 0; FLIP inverts the
// highest b. The bits of y above N are the carry.
module crq_ccu #(
    parameter int N = 8,
    parameter int OUT = N,
    parameter bit [15:0] INIT = 16'hAAAA,
    parameter bit FLIP = 0
) (
    input  logic [N-1:0]   a,
    input  logic [N-1:0]   b,
    input  logic           c,
    input  logic           d,
    output logic [OUT-1:0] y
);
  localparam int PARTS = (OUT + 1) / 2;
  localparam bit [15:0] FLIPPED = ((INIT & 16'h3333) << 2) | ((INIT & 16'hCCCC) >> 2);
  wire [2*PARTS-1:0] all_a = (2 * PARTS)'(a), all_b = (2 * PARTS)'(b);
  wire [2*PARTS-1:0] all_y;
  wire [PARTS:0] carry;
  assign carry[0] = 1'b0;
  for (genvar p = 0; p < PARTS; p++) begin : gen_part
    localparam bit [15:0] LOW = 2 * p >= N ? 16'hAAAA : FLIP && 2 * p == N - 1 ? FLIPPED : INIT;
    localparam bit [15:0] HIGH = 2 * p + 1 >= N ? 16'hAAAA : FLIP && 2 * p + 1 == N - 1 ? FLIPPED : INIT;
    CCU2C #(.INIT0(LOW), .INIT1(HIGH), .INJECT1_0("NO"), .INJECT1_1("NO")) u_ccu (
        .CIN(carry[p]), .COUT(carry[p+1]), .S0(all_y[2*p]), .S1(all_y[2*p+1]),
        .A0(all_a[2*p]), .B0(all_b[2*p]), .C0(c), .D0(d), .A1(all_a[2*p+1]), .B1(all_b[2*p+1]), .C1(c), .D1(d)
    );
  end
  assign y = all_y[OUT-1:0];
  wire unused = &{all_y, carry};
endmodule
`endif

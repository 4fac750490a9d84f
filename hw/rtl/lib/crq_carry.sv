`ifdef CRQ_XILINX
// Carry chain of N bits from the carry `ci`: o = s ^ carry, and the next carry is s ? carry : di.
module crq_carry #(
    parameter int N = 8
) (
    input  logic         ci,
    input  logic [N-1:0] s,
    input  logic [N-1:0] di,
    output logic [N-1:0] o,
    output logic         co
);
  localparam int BITS = `CRQ_XILINX;
  localparam int PARTS = (N + BITS - 1) / BITS;
  localparam int ALL = PARTS * BITS;
  wire [ALL-1:0] all_s = ALL'(s), all_di = ALL'(di);
  wire [ALL-1:0] all_o, all_co;
  for (genvar p = 0; p < PARTS; p++) begin : gen_part
    wire carry_in;
    if (p == 0) begin : gen_first
      assign carry_in = ci;
    end else begin : gen_next
      assign carry_in = all_co[p*BITS-1];
    end
    if (BITS == 8) begin : gen_carry8
      CARRY8 #(.CARRY_TYPE("SINGLE_CY8")) u_carry (
          .CI(carry_in), .CI_TOP(1'b0), .DI(all_di[p*8+:8]), .S(all_s[p*8+:8]), .O(all_o[p*8+:8]), .CO(all_co[p*8+:8])
      );
    end else begin : gen_carry4
      CARRY4 u_carry (
          .CI(p == 0 ? 1'b0 : carry_in), .CYINIT(p == 0 && carry_in), .DI(all_di[p*4+:4]), .S(all_s[p*4+:4]), .O(all_o[p*4+:4]), .CO(all_co[p*4+:4])
      );
    end
  end
  assign o = all_o[N-1:0];
  assign co = all_co[N-1];
  wire unused = &{all_o, all_co};
endmodule
`endif

// The channel of the greatest value, of equal ones the first: LANES channels of a pixel per cycle, BEATS of them.
(* keep_hierarchy *)
module crq_argmax #(
    parameter int LANES = 1,
    parameter int BEATS = 10,
    parameter int BITS = 8,
    parameter bit SIGNED = 0,
    parameter int OUT = 4
) (
    input  logic                  clk,
    input  logic                  rst,
    input  logic                  in_valid,
    output logic                  in_ready,
    input  logic [LANES*BITS-1:0] in_data,
    output logic                  out_valid,
    input  logic                  out_ready,
    output logic [OUT-1:0]        out_data
);
  localparam int LB = LANES > 1 ? $clog2(LANES) : 1;
  localparam bit [BITS-1:0] SIGN = BITS'(SIGNED) << (BITS - 1);
  wire [BITS-1:0] value;
  wire [LB-1:0] lane;
  crq_first #(.N(LANES), .BITS(BITS), .SIGNED(SIGNED)) u_first (.d(in_data), .q(value), .index(lane));
  if (BEATS == 1) begin : gen_whole
    assign in_ready = !out_valid || out_ready;
    always_ff @(posedge clk) begin
      if (rst) out_valid <= 1'b0;
      else out_valid <= in_valid || (out_valid && !out_ready);
      if (in_valid && in_ready) out_data <= OUT'(lane);
    end
    logic unused;
    assign unused = &value;
  end else begin : gen_beats
    localparam int CB = $clog2(BEATS);
    logic [CB-1:0] beat;
    logic [BITS-1:0] best;
    logic [OUT-1:0] best_at, base;
    wire last = beat == CB'(BEATS - 1);
    assign in_ready = !last || !out_valid || out_ready;
    wire take = in_valid && in_ready;
    wire wins = beat == '0 || (value ^ SIGN) > (best ^ SIGN);
    wire [OUT-1:0] at = LANES > 1 ? base + OUT'(lane) : base;
    wire [OUT-1:0] kept = wins ? at : best_at;
    always_ff @(posedge clk) begin
      if (rst) begin
        beat <= '0;
        base <= '0;
        out_valid <= 1'b0;
      end else begin
        if (take) begin
          beat <= last ? '0 : beat + 1'b1;
          base <= last ? '0 : base + OUT'(LANES);
        end
        out_valid <= (take && last) || (out_valid && !out_ready);
      end
      if (take) begin
        best <= wins ? value : best;
        best_at <= kept;
        if (last) out_data <= kept;
      end
    end
  end
endmodule

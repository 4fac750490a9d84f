// Sum over all pixels: a beat of PE channels per cycle, the sums of the other beats of a pixel wait in a memory.
(* keep_hierarchy *)
module crq_global_sum #(
    parameter int PE = 1,
    parameter int BLOCKS = 1,  // beats of a pixel
    parameter int PIXELS = 16,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int OUT = 8
) (
    input  logic               clk,
    input  logic               rst,
    input  logic               in_valid,
    output logic               in_ready,
    input  logic [PE*BITS-1:0] in_data,
    output logic               out_valid,
    input  logic               out_ready,
    output logic [PE*OUT-1:0]  out_data
);
  localparam int PB = PIXELS > 1 ? $clog2(PIXELS) : 1;
  localparam int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1;
  logic [PB-1:0] pixel;
  logic [BB-1:0] block;
  wire first_pixel = pixel == '0;
  wire last_pixel = pixel == PB'(PIXELS - 1);
  wire last_block = BLOCKS == 1 || block == BB'(BLOCKS - 1);
  assign in_ready = !last_pixel || !out_valid || out_ready;
  wire take = in_valid && in_ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      block <= '0;
      out_valid <= 1'b0;
    end else begin
      if (take) block <= last_block ? '0 : block + 1'b1;
      if (take && last_block) pixel <= last_pixel ? '0 : pixel + 1'b1;
      out_valid <= (take && last_pixel) || (out_valid && !out_ready);
    end
  end
  wire [PE*OUT-1:0] stored;
  logic [PE*OUT-1:0] sums;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire [BITS-1:0] a = in_data[p*BITS+:BITS];
    wire [OUT-1:0] held = first_pixel ? '0 : stored[p*OUT+:OUT];
    if (SIGNED) begin : gen_signed
      assign sums[p*OUT+:OUT] = held + OUT'($signed(a));
    end else begin : gen_unsigned
      assign sums[p*OUT+:OUT] = held + OUT'(a);
    end
  end
  if (BLOCKS == 1) begin : gen_one
    logic [PE*OUT-1:0] total;
    always_ff @(posedge clk) if (take) total <= sums;
    assign stored = total;
    always_ff @(posedge clk) if (take && last_pixel) out_data <= sums;
  end else begin : gen_memory
`ifdef CRQ_ICE40
    (* ram_style = "registers" *)
`else
    (* ram_style = "distributed" *)
`endif
    logic [PE*OUT-1:0] memory[0:BLOCKS-1];
    always_ff @(posedge clk) if (take) memory[block] <= sums;
    assign stored = memory[block];
    always_ff @(posedge clk) if (take && last_pixel) out_data <= sums;
  end
endmodule

// Sum of PIXELS beats per channel, PE channels per cycle. The sums rotate past the adders once per beat.
module crq_global_sum #(
    parameter int PE = 1,
    parameter int BLOCKS = 1,
    parameter int PIXELS = 16,
    parameter int BITS = 4,
    parameter bit SIGNED = 0,
    parameter int OUT = 8
) (
    input  logic                     clk,
    input  logic                     rst,
    input  logic                     en,
    input  logic                     step,       // one group of channels is added
    input  logic                     last,       // and it is the beat's last
    input  logic [PE*BITS-1:0]       x,
    output logic                     out_valid,
    output logic [PE*BLOCKS*OUT-1:0] out_data
);
  localparam int PB = PIXELS > 1 ? $clog2(PIXELS) : 1;
  logic [PB-1:0] pixel;
  wire first_pixel = pixel == '0;
  wire last_pixel = pixel == PB'(PIXELS - 1);
  always_ff @(posedge clk) begin
    if (rst) begin
      pixel <= '0;
      out_valid <= 1'b0;
    end else if (en) begin
      out_valid <= step && last && last_pixel;
      if (step && last) pixel <= last_pixel ? '0 : pixel + 1'b1;
    end
  end
  logic [PE*OUT-1:0] sums;
  for (genvar p = 0; p < PE; p++) begin : gen_lane
    wire [BITS-1:0] a = x[p*BITS+:BITS];
    wire [OUT-1:0] held = first_pixel ? '0 : out_data[p*OUT+:OUT];
    if (SIGNED) begin : gen_signed
      assign sums[p*OUT+:OUT] = held + OUT'($signed(a));
    end else begin : gen_unsigned
      assign sums[p*OUT+:OUT] = held + OUT'(a);
    end
  end
  if (BLOCKS == 1) begin : gen_one
    always_ff @(posedge clk) if (en && step) out_data <= sums;
  end else begin : gen_rotate
    always_ff @(posedge clk) if (en && step) out_data <= {sums, out_data[PE*BLOCKS*OUT-1:PE*OUT]};
  end
endmodule

// Lets the first of every STRIDE_H rows and STRIDE_W columns of an image pass, WORDS beats per pixel; drops the others.
(* keep_hierarchy *)
module crq_decimate #(
    parameter int WIDTH = 16,  // of a beat
    parameter int WORDS = 1,
    parameter int HEIGHT = 32,
    parameter int COLUMNS = 32,
    parameter int STRIDE_H = 2,
    parameter int STRIDE_W = 2
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             in_valid,
    output logic             in_ready,
    input  logic [WIDTH-1:0] in_data,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [WIDTH-1:0] out_data
);
  localparam int WB = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int CB = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
  localparam int RB = HEIGHT > 1 ? $clog2(HEIGHT) : 1;
  localparam int XB = STRIDE_W > 1 ? $clog2(STRIDE_W) : 1;
  localparam int YB = STRIDE_H > 1 ? $clog2(STRIDE_H) : 1;
  logic [WB-1:0] word;
  logic [CB-1:0] column;
  logic [RB-1:0] row;
  logic [XB-1:0] x;  // column and row modulo the stride
  logic [YB-1:0] y;
  wire take = in_valid && in_ready;
  wire pixel_end = take && (WORDS == 1 || word == WB'(WORDS - 1));
  wire row_end = pixel_end && column == CB'(COLUMNS - 1);
  wire image_end = row_end && row == RB'(HEIGHT - 1);
  always_ff @(posedge clk) begin
    if (rst) begin
      word <= '0;
      column <= '0;
      row <= '0;
      x <= '0;
      y <= '0;
    end else begin
      if (take) word <= pixel_end ? '0 : word + 1'b1;
      if (pixel_end) column <= row_end ? '0 : column + 1'b1;
      if (pixel_end) x <= row_end || x == XB'(STRIDE_W - 1) ? '0 : x + 1'b1;
      if (row_end) row <= image_end ? '0 : row + 1'b1;
      if (row_end) y <= image_end || y == YB'(STRIDE_H - 1) ? '0 : y + 1'b1;
    end
  end
  wire kept = x == '0 && y == '0;
  assign out_valid = in_valid && kept;
  assign out_data  = in_data;
  assign in_ready  = out_ready || !kept;
endmodule

// Sliding window over an image that streams in one pixel per beat. Line buffers hold the rows above, registers the
// columns to the left. Every position of the padded image takes one cycle, one that completes a window stays until
// `last` says that its final step runs. Tap (y, x, c) of the window is element (y * SPAN_W + x) * CHANNELS + c.
(* keep_hierarchy *)
module crq_window #(
    parameter int CHANNELS = 1,
    parameter int BITS = 8,
    parameter int HEIGHT = 8,
    parameter int WIDTH = 8,
    parameter int SPAN_H = 3,
    parameter int SPAN_W = 3,
    parameter int STRIDE_H = 1,
    parameter int STRIDE_W = 1,
    parameter int PAD_TOP = 0,
    parameter int PAD_LEFT = 0,
    parameter int PAD_BOTTOM = 0,
    parameter int PAD_RIGHT = 0,
    parameter bit [BITS-1:0] PAD_VALUE = '0,
    parameter bit BLOCK = 0  // line buffers in block RAM instead of LUTs
) (
    input  logic                                   clk,
    input  logic                                   rst,
    input  logic                                   en,
    input  logic                                   in_valid,
    output logic                                   in_ready,
    input  logic [CHANNELS*BITS-1:0]               in_data,
    output logic                                   active,  // a complete window is there
    input  logic                                   last,    // and its last step runs
    output logic [SPAN_H*SPAN_W*CHANNELS*BITS-1:0] window
);
  localparam int PIXEL = CHANNELS * BITS;
  localparam int ROWS = HEIGHT + PAD_TOP + PAD_BOTTOM;
  localparam int COLUMNS = WIDTH + PAD_LEFT + PAD_RIGHT;
  localparam int RB = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam int CB = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
  // Rows and columns still to come before a window completes.
  localparam int RW = SPAN_H > STRIDE_H ? SPAN_H - 1 : STRIDE_H - 1;
  localparam int CW = SPAN_W > STRIDE_W ? SPAN_W - 1 : STRIDE_W - 1;
  localparam int RWB = RW > 0 ? $clog2(RW + 1) : 1;
  localparam int CWB = CW > 0 ? $clog2(CW + 1) : 1;

  logic [RB-1:0] row;
  logic [CB-1:0] column;
  logic [RWB-1:0] row_wait;
  logic [CWB-1:0] column_wait;
  wire last_column = column == CB'(COLUMNS - 1);
  wire last_row = row == RB'(ROWS - 1);
  wire free = en && (!active || last);
  wire padding;
  wire shift = free && (padding || in_valid);
  wire [PIXEL-1:0] pixel = padding ? {CHANNELS{PAD_VALUE}} : in_data;
  assign in_ready = free && !padding;

  if (PAD_TOP + PAD_LEFT + PAD_BOTTOM + PAD_RIGHT == 0) begin : gen_unpadded
    assign padding = 1'b0;
  end else begin : gen_padded
    wire above, below, left, right;
    if (PAD_TOP > 0) begin : gen_top
      assign above = row < RB'(PAD_TOP);
    end else begin : gen_no_top
      assign above = 1'b0;
    end
    if (PAD_BOTTOM > 0) begin : gen_bottom
      assign below = row >= RB'(PAD_TOP + HEIGHT);
    end else begin : gen_no_bottom
      assign below = 1'b0;
    end
    if (PAD_LEFT > 0) begin : gen_left
      assign left = column < CB'(PAD_LEFT);
    end else begin : gen_no_left
      assign left = 1'b0;
    end
    if (PAD_RIGHT > 0) begin : gen_right
      assign right = column >= CB'(PAD_LEFT + WIDTH);
    end else begin : gen_no_right
      assign right = 1'b0;
    end
    assign padding = above || below || left || right;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      row <= '0;
      column <= '0;
      row_wait <= RWB'(SPAN_H - 1);
      column_wait <= CWB'(SPAN_W - 1);
      active <= 1'b0;
    end else if (shift) begin
      active <= row_wait == '0 && column_wait == '0;
      if (last_column) begin
        column <= '0;
        column_wait <= CWB'(SPAN_W - 1);
        row <= last_row ? '0 : row + 1'b1;
        row_wait <= last_row ? RWB'(SPAN_H - 1) : row_wait == '0 ? RWB'(STRIDE_H - 1) : row_wait - 1'b1;
      end else begin
        column <= column + 1'b1;
        column_wait <= column_wait == '0 ? CWB'(STRIDE_W - 1) : column_wait - 1'b1;
      end
    end else if (free) begin
      active <= 1'b0;
    end
  end

`ifdef CRQ_ICE40
  localparam bit IN_BLOCK = BLOCK || COLUMNS * (SPAN_H - 1) * PIXEL > 64;  // no RAM in LUTs: registers, or a block of 4 Kbit
`else
  localparam bit IN_BLOCK = BLOCK;
`endif
  // The column of SPAN_H pixels that enters: the new pixel at the bottom, above it those of the rows before.
  wire [SPAN_H*PIXEL-1:0] entering;
  assign entering[(SPAN_H-1)*PIXEL+:PIXEL] = pixel;
  if (SPAN_H > 1) begin : gen_lines
    wire [(SPAN_H-1)*PIXEL-1:0] above;
    assign entering[(SPAN_H-1)*PIXEL-1:0] = above;
    if (IN_BLOCK) begin : gen_block
      (* ram_style = "block" *)
      logic [(SPAN_H-1)*PIXEL-1:0] lines[0:COLUMNS-1];
      logic [(SPAN_H-1)*PIXEL-1:0] read;
      wire [CB-1:0] next_column = last_column ? '0 : column + 1'b1;
      always_ff @(posedge clk) begin
        if (shift) begin
          lines[column] <= entering[SPAN_H*PIXEL-1:PIXEL];
          read <= lines[next_column];
        end
      end
      assign above = read;
    end else begin : gen_lut
`ifdef CRQ_ICE40
      (* ram_style = "registers" *)
`else
      (* ram_style = "distributed" *)
`endif
      logic [(SPAN_H-1)*PIXEL-1:0] lines[0:COLUMNS-1];
      always_ff @(posedge clk) if (shift) lines[column] <= entering[SPAN_H*PIXEL-1:PIXEL];
      assign above = lines[column];
    end
  end

  for (genvar y = 0; y < SPAN_H; y++) begin : gen_rows
    for (genvar x = 0; x < SPAN_W; x++) begin : gen_columns
      if (x == SPAN_W - 1) begin : gen_enter
        always_ff @(posedge clk) if (shift) window[(y*SPAN_W+x)*PIXEL+:PIXEL] <= entering[y*PIXEL+:PIXEL];
      end else begin : gen_move
        always_ff @(posedge clk)
          if (shift) window[(y*SPAN_W+x)*PIXEL+:PIXEL] <= window[(y*SPAN_W+x+1)*PIXEL+:PIXEL];
      end
    end
  end
endmodule

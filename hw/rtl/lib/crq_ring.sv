// Window of a folded unit: some rows of the image in one ring memory. Beats are written as they come; one word is read
// per cycle. Steps of an output pixel, slowest first: group of channels, block of output channels, ky, kx, word of the
// group. An output row starts when the rows it needs are there, and frees those that the next one does not need.
(* keep_hierarchy *)
module crq_ring #(
    parameter int BITS = 16,    // of a word
    parameter int WORDS = 4,    // of a pixel
    parameter int GROUPS = 1,   // of words that are read apart
    parameter int BLOCKS = 4,   // of output channels per group
    parameter int HEIGHT = 32,
    parameter int WIDTH = 32,
    parameter int KERNEL_H = 3,
    parameter int KERNEL_W = 3,
    parameter int STRIDE_H = 1,
    parameter int STRIDE_W = 1,
    parameter int DILATION_H = 1,
    parameter int DILATION_W = 1,
    parameter int PAD_TOP = 1,
    parameter int PAD_LEFT = 1,
    parameter int OUT_H = 32,
    parameter int OUT_W = 32,
    parameter int RB = 2,       // the ring has 2**RB rows
    parameter bit BLOCK = 1,    // in block RAM
    parameter bit [BITS-1:0] PAD_VALUE = '0,
    parameter int STEPS = GROUPS * BLOCKS * KERNEL_H * KERNEL_W * (WORDS / GROUPS),
    parameter int AB = STEPS > 1 ? $clog2(STEPS) : 1
) (
    input  logic            clk,
    input  logic            rst,
    input  logic            in_valid,
    output logic            in_ready,
    input  logic [BITS-1:0] in_data,
    input  logic            en,
    output logic [AB-1:0]   step,   // of the output pixel; q follows it by a cycle
    output logic            valid,  // q is a word of a window,
    output logic            first,  // the first of a block,
    output logic            last,   // the last
    output logic [BITS-1:0] q
);
  localparam int GW = WORDS / GROUPS;
  localparam int ROW = WIDTH * WORDS;
  localparam int LB = ROW > 1 ? $clog2(ROW) : 1;
  // Words of neighbouring taps lie side by side unless a group or a dilation is between them.
  localparam bit JOINED = GROUPS == 1 && DILATION_W == 1;
  localparam int TAPS = JOINED ? 1 : KERNEL_W;
  localparam int RUN = JOINED ? KERNEL_W * GW : GW;
  localparam int SPAN_H = (KERNEL_H - 1) * DILATION_H + 1;
  localparam int SPAN_W = (KERNEL_W - 1) * DILATION_W + 1;
  localparam int OVER_W = (OUT_W - 1) * STRIDE_W - PAD_LEFT + SPAN_W - WIDTH;  // padding on the right that is read
  localparam int OVER_H = (OUT_H - 1) * STRIDE_H - PAD_TOP + SPAN_H - HEIGHT;
  localparam int LEFTS = PAD_LEFT > 0 ? (PAD_LEFT - 1) / STRIDE_W + 1 : 0;  // output columns that read padding
  localparam int RIGHTS = OVER_W > 0 ? (OVER_W - 1) / STRIDE_W + 1 : 0;
  localparam int TOPS = PAD_TOP > 0 ? (PAD_TOP - 1) / STRIDE_H + 1 : 0;
  localparam int BOTTOMS = OVER_H > 0 ? (OVER_H - 1) / STRIDE_H + 1 : 0;

  function automatic int clipped(input int y);  // a row of the image or just below it
    clipped = y < 0 ? 0 : y > HEIGHT ? HEIGHT : y;
  endfunction
  function automatic int base(input int y);  // the first row that output row y reads
    base = clipped(y * STRIDE_H - PAD_TOP);
  endfunction
  function automatic int need_of(input int y);  // rows from its base
    need_of = (y == OUT_H - 1 ? HEIGHT : clipped(y * STRIDE_H - PAD_TOP + SPAN_H)) - base(y);
  endfunction
  function automatic int drop_of(input int y);  // rows that are free after it
    drop_of = (y == OUT_H - 1 ? HEIGHT : base(y + 1)) - base(y);
  endfunction
  function automatic int cut(input int distance, input int pitch);  // taps that lie before a distance
    cut = (distance + pitch - 1) / pitch;
  endfunction

  // Counters of the reader.
  localparam int IB = RUN > 1 ? $clog2(RUN) : 1;
  localparam int XB = TAPS > 1 ? $clog2(TAPS) : 1;
  localparam int YB = KERNEL_H > 1 ? $clog2(KERNEL_H) : 1;
  localparam int BB = BLOCKS > 1 ? $clog2(BLOCKS) : 1;
  localparam int GB = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam int CB = OUT_W > 1 ? $clog2(OUT_W) : 1;
  localparam int RWB = OUT_H > 1 ? $clog2(OUT_H) : 1;
  logic [IB-1:0] i;
  logic [XB-1:0] kx;
  logic [YB-1:0] ky;
  logic [BB-1:0] block;
  logic [GB-1:0] group;
  logic [CB-1:0] ox;
  logic [RWB-1:0] oy;
  wire run_end = i == IB'(RUN - 1);
  wire taps_end = run_end && (TAPS == 1 || kx == XB'(TAPS - 1));
  wire block_end = taps_end && (KERNEL_H == 1 || ky == YB'(KERNEL_H - 1));
  wire group_end = block_end && (BLOCKS == 1 || block == BB'(BLOCKS - 1));
  wire pixel_end = group_end && (GROUPS == 1 || group == GB'(GROUPS - 1));
  wire row_last = ox == CB'(OUT_W - 1);
  wire image_last = oy == RWB'(OUT_H - 1);
  wire row_end = pixel_end && row_last;
  wire image_end = row_end && image_last;

  // Rows that the current output row needs and frees. Those in the middle of the image are alike.
  localparam int MIDDLE = TOPS + 1 < OUT_H - BOTTOMS - 1 ? TOPS + 1 : OUT_H - 1;
  logic [RB:0] need, drop;
  always_comb begin
    need = (RB + 1)'(need_of(MIDDLE));
    drop = (RB + 1)'(drop_of(MIDDLE));
    for (int k = 0; k < OUT_H && k <= TOPS; k++) begin
      if (need_of(k) != need_of(MIDDLE) && oy == RWB'(k)) need = (RB + 1)'(need_of(k));
      if (drop_of(k) != drop_of(MIDDLE) && oy == RWB'(k)) drop = (RB + 1)'(drop_of(k));
    end
    for (int k = OUT_H > BOTTOMS + 2 ? OUT_H - BOTTOMS - 2 : 0; k < OUT_H; k++) begin
      if (need_of(k) != need_of(MIDDLE) && oy == RWB'(k)) need = (RB + 1)'(need_of(k));
      if (drop_of(k) != drop_of(MIDDLE) && oy == RWB'(k)) drop = (RB + 1)'(drop_of(k));
    end
  end

  // Writer: `filled` rows are complete and not free yet. A stride above the kernel frees rows that no output row reads
  // and that may not have come yet: it is negative then.
  localparam int SIGN = STRIDE_H > SPAN_H ? 1 : 0;
  logic [LB-1:0] write_low;
  logic [RB-1:0] write_row;
  logic [RB+SIGN:0] filled;
  wire owes = SIGN == 1 && filled[RB+SIGN];
  wire ready = !owes && filled[RB:0] >= need;
  wire push = in_valid && in_ready;
  wire row_done = push && write_low == LB'(ROW - 1);
  assign in_ready = owes || !filled[RB];
  wire advance = en && ready;
  always_ff @(posedge clk) begin
    if (rst) begin
      write_low <= '0;
      write_row <= '0;
      filled <= '0;
    end else begin
      if (push) write_low <= row_done ? '0 : write_low + 1'b1;
      if (row_done) write_row <= write_row + 1'b1;
      filled <= filled + (RB + 1 + SIGN)'(row_done) - (advance && row_end ? (RB + 1 + SIGN)'(drop) : '0);
    end
  end

  // Reader: one adder moves the place in the row by one of these distances.
  localparam int AGAIN = -(KERNEL_W - 1) * DILATION_W * WORDS - (GW - 1);  // to the first tap of the row
  localparam int MOVE = AGAIN + STRIDE_W * WORDS - (GROUPS - 1) * GW;
  localparam int RETURN = AGAIN - (OUT_W - 1) * STRIDE_W * WORDS - (GROUPS - 1) * GW;
  localparam int TAP = DILATION_W * WORDS - (GW - 1);
  localparam int UP = -(KERNEL_H - 1) * DILATION_H;
  logic [LB-1:0] low, low_step;
  logic [RB-1:0] row, row_step;
  always_comb begin
    if (row_end) low_step = LB'(RETURN);
    else if (pixel_end) low_step = LB'(MOVE);
    else if (group_end) low_step = LB'(AGAIN + GW);
    else if (taps_end) low_step = LB'(AGAIN);
    else if (run_end) low_step = LB'(TAP);
    else low_step = LB'(1);
    if (image_end) row_step = RB'(UP + HEIGHT - (OUT_H - 1) * STRIDE_H);
    else if (row_end) row_step = RB'(UP + STRIDE_H);
    else if (block_end) row_step = RB'(UP);
    else row_step = RB'(DILATION_H);
  end
  always_ff @(posedge clk) begin
    if (rst) begin
      i <= '0;
      kx <= '0;
      ky <= '0;
      block <= '0;
      group <= '0;
      ox <= '0;
      oy <= '0;
      low <= LB'(-PAD_LEFT * WORDS);
      row <= RB'(-PAD_TOP);
      step <= '0;
    end else if (advance) begin
      i <= run_end ? '0 : i + 1'b1;
      if (run_end) kx <= taps_end ? '0 : kx + 1'b1;
      if (taps_end) ky <= block_end ? '0 : ky + 1'b1;
      if (block_end) block <= group_end ? '0 : block + 1'b1;
      if (group_end) group <= pixel_end ? '0 : group + 1'b1;
      if (pixel_end) ox <= row_last ? '0 : ox + 1'b1;
      if (row_end) oy <= image_last ? '0 : oy + 1'b1;
      low <= low + low_step;
      if (taps_end) row <= row + row_step;
      step <= pixel_end ? '0 : step + 1'b1;
    end
  end

  // Taps outside of the image: few output rows and columns have any.
  logic outside;
  always_comb begin
    outside = 1'b0;
    for (int k = 0; k < TOPS; k++)
      if (oy == RWB'(k) && int'(ky) < cut(PAD_TOP - k * STRIDE_H, DILATION_H)) outside = 1'b1;
    for (int k = OUT_H - BOTTOMS; k < OUT_H; k++)
      if (oy == RWB'(k) && int'(ky) >= cut(HEIGHT + PAD_TOP - k * STRIDE_H, DILATION_H)) outside = 1'b1;
    for (int k = 0; k < LEFTS; k++)
      if (ox == CB'(k) && (JOINED ? int'(i) < GW * cut(PAD_LEFT - k * STRIDE_W, DILATION_W)
                                  : int'(kx) < cut(PAD_LEFT - k * STRIDE_W, DILATION_W))) outside = 1'b1;
    for (int k = OUT_W - RIGHTS; k < OUT_W; k++)
      if (ox == CB'(k) && (JOINED ? int'(i) >= GW * cut(WIDTH + PAD_LEFT - k * STRIDE_W, DILATION_W)
                                  : int'(kx) >= cut(WIDTH + PAD_LEFT - k * STRIDE_W, DILATION_W))) outside = 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) valid <= 1'b0;
    else if (en) valid <= ready;
    if (en) begin
      first <= i == '0 && kx == '0 && ky == '0;
      last <= block_end;
    end
  end

`ifdef CRQ_ICE40
  localparam bit IN_BLOCK = BLOCK || (BITS << (RB + LB)) > 64;  // no RAM in LUTs: registers, or a block of 4 Kbit
`else
  localparam bit IN_BLOCK = BLOCK;
`endif
  // A row is written while no output row reads it: what a read beside a write to its address gives does not matter.
  if (IN_BLOCK) begin : gen_block
    (* ram_style = "block", no_rw_check *)
    logic [BITS-1:0] memory[0:(1<<(RB+LB))-1];
    always_ff @(posedge clk) begin
      if (push) memory[{write_row, write_low}] <= in_data;
      if (en) begin
        if (outside) q <= PAD_VALUE;
        else q <= memory[{row, low}];
      end
    end
  end else begin : gen_lut
`ifdef CRQ_ICE40
    (* ram_style = "registers", no_rw_check *)
`else
    (* ram_style = "distributed", no_rw_check *)
`endif
    logic [BITS-1:0] memory[0:(1<<(RB+LB))-1];
    always_ff @(posedge clk) begin
      if (push) memory[{write_row, write_low}] <= in_data;
      if (en) begin
        if (outside) q <= PAD_VALUE;
        else q <= memory[{row, low}];
      end
    end
  end
endmodule

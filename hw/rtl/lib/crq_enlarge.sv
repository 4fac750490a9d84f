// Each pixel becomes a block of FACTOR_H x FACTOR_W pixels: the same everywhere (PARTS 1), or one of PARTS neighbouring
// channels in each. A beat of LANES channels per cycle; what the block needs again waits in a memory of a row.
(* keep_hierarchy *)
module crq_enlarge #(
    parameter int LANES = 1,
    parameter int BITS = 4,
    parameter int PARTS = 1,
    parameter int WORDS = 1,  // beats of a pixel
    parameter int COLUMNS = 8,  // of the input
    parameter int FACTOR_H = 2,
    parameter int FACTOR_W = 2,
    parameter bit BLOCK = 0  // memory in block RAM instead of LUTs
) (
    input  logic                        clk,
    input  logic                        rst,
    input  logic                        in_valid,
    output logic                        in_ready,
    input  logic [LANES*PARTS*BITS-1:0] in_data,
    output logic                        out_valid,
    input  logic                        out_ready,
    output logic [      LANES*BITS-1:0] out_data
);
  localparam int WIDTH = LANES * PARTS * BITS;
  localparam int DEPTH = (FACTOR_H > 1 ? COLUMNS : 1) * WORDS;
  localparam int WB = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int XB = FACTOR_W > 1 ? $clog2(FACTOR_W) : 1;
  localparam int YB = FACTOR_H > 1 ? $clog2(FACTOR_H) : 1;
  localparam int CB = COLUMNS > 1 ? $clog2(COLUMNS) : 1;
  localparam int PB = PARTS > 1 ? $clog2(PARTS) : 1;
  localparam int AB = DEPTH > 1 ? $clog2(DEPTH) : 1;

  logic [WB-1:0] word;
  logic [XB-1:0] x;  // column and row in the block
  logic [YB-1:0] y;
  logic [CB-1:0] column;
  wire fresh = x == '0 && y == '0;
  wire en = !out_valid || out_ready;
  wire step = en && (in_valid || !fresh);
  assign in_ready = en && fresh;
  wire pixel_end = step && (WORDS == 1 || word == WB'(WORDS - 1));
  wire block_end = pixel_end && (FACTOR_W == 1 || x == XB'(FACTOR_W - 1));
  wire row_end = block_end && (COLUMNS == 1 || column == CB'(COLUMNS - 1));
  always_ff @(posedge clk) begin
    if (rst) begin
      word <= '0;
      x <= '0;
      y <= '0;
      column <= '0;
    end else begin
      if (step) word <= pixel_end ? '0 : word + 1'b1;
      if (pixel_end) x <= block_end ? '0 : x + 1'b1;
      if (block_end) column <= row_end ? '0 : column + 1'b1;
      if (row_end) y <= FACTOR_H == 1 || y == YB'(FACTOR_H - 1) ? '0 : y + 1'b1;
    end
  end
  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else if (en) out_valid <= step;
  end

  logic [AB-1:0] first;  // word of the pixel
  if (FACTOR_H > 1 && COLUMNS > 1) begin : gen_first
    always_ff @(posedge clk) begin
      if (rst) first <= '0;
      else if (block_end) first <= row_end ? '0 : first + AB'(WORDS);
    end
  end else begin : gen_no_first
    assign first = '0;
  end
  wire [AB-1:0] address = WORDS > 1 ? first + AB'(word) : first;

  logic [PB-1:0] part;
  if (PARTS > 1) begin : gen_part
    logic [PB-1:0] row_part;
    always_ff @(posedge clk) begin
      if (rst) row_part <= '0;
      else if (row_end) row_part <= FACTOR_H == 1 || y == YB'(FACTOR_H - 1) ? '0 : row_part + PB'(FACTOR_W);
    end
    assign part = FACTOR_W > 1 ? row_part + PB'(x) : row_part;
  end else begin : gen_no_part
    assign part = '0;
  end

  // A pixel that comes is the first of its block: its first part is taken, whatever the memory holds.
  wire [WIDTH-1:0] kept;
  wire [PB-1:0] kept_part;
  logic [LANES*BITS-1:0] came, lanes;
  for (genvar p = 0; p < LANES; p++) begin : gen_lane
    assign came[p*BITS+:BITS]  = in_data[p*PARTS*BITS+:BITS];
    crq_mux #(.WIDTH(BITS), .N(PARTS)) u_part (
        .d(kept[p*PARTS*BITS+:PARTS*BITS]), .sel(kept_part), .q(lanes[p*BITS+:BITS])
    );
  end

`ifdef CRQ_ICE40
  localparam bit IN_BLOCK = DEPTH > 1 && (BLOCK || WIDTH * DEPTH > 64);  // no RAM in LUTs
`else
  localparam bit IN_BLOCK = DEPTH > 1 && BLOCK;
`endif
  if (IN_BLOCK) begin : gen_block
    (* ram_style = "block" *)
    logic [WIDTH-1:0] memory[0:DEPTH-1];
    logic [WIDTH-1:0] read;
    logic [LANES*BITS-1:0] new_lanes;
    logic use_new;
    logic [PB-1:0] read_part;
    always_ff @(posedge clk) begin
      if (step && fresh) memory[address] <= in_data;
      if (step && !fresh) read <= memory[address];  // never while a word is written
    end
    always_ff @(posedge clk)
      if (step) begin
        new_lanes <= came;
        use_new   <= fresh;
        read_part <= part;
      end
    assign kept = read;
    assign kept_part = read_part;
    assign out_data = use_new ? new_lanes : lanes;
  end else begin : gen_lut
    if (DEPTH > 1) begin : gen_memory
`ifdef CRQ_ICE40
      (* ram_style = "registers" *)
`else
      (* ram_style = "distributed" *)
`endif
      logic [WIDTH-1:0] memory[0:DEPTH-1];
      always_ff @(posedge clk) if (step && fresh) memory[address] <= in_data;
      assign kept = memory[address];
    end else begin : gen_register
      logic [WIDTH-1:0] held;
      wire unused_address = &address;
      always_ff @(posedge clk) if (step && fresh) held <= in_data;
      assign kept = held;
    end
    assign kept_part = part;
    always_ff @(posedge clk) if (step) out_data <= fresh ? came : lanes;
  end
endmodule

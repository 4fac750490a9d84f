// Cells of Gowin in simulation that Yosys has no model of: adders as they are placed, block RAM and PLL.

// S = LUT[{1, 1, I1, I0}] and C = LUT[{0, 0, I1, I0}] (Apycula, chipdb.py): SUM = S ^ CIN, COUT = S ? CIN : C.
module ALU_RAW (
    input  I0, I1, CIN,
    output SUM, COUT
);
  parameter [15:0] LUT = 0;
  wire s = LUT[{2'b11, I1, I0}], c = LUT[{2'b00, I1, I0}];
  assign SUM = s ^ CIN;
  assign COUT = s ? CIN : c;
endmodule

module BUFG (
    input  I,
    output O
);
  assign O = I;
endmodule

module GOWIN_GND (
    output G
);
  assign G = 1'b0;
endmodule

module GOWIN_VCC (
    output V
);
  assign V = 1'b1;
endmodule

// In simulation the design has the clock that the simulation gives.
module rPLL (
    input  CLKIN, CLKFB, RESET, RESET_P,
    input  [5:0] FBDSEL, IDSEL, ODSEL,
    input  [3:0] PSDA, DUTYDA, FDLY,
    output CLKOUT, CLKOUTP, CLKOUTD, CLKOUTD3, LOCK
);
  parameter FCLKIN = "27";
  parameter DEVICE = "GW1N-9C";
  parameter IDIV_SEL = 0;
  parameter FBDIV_SEL = 0;
  parameter ODIV_SEL = 8;
  assign CLKOUT = CLKIN;
  assign LOCK = 1'b1;
endmodule

// Block RAM: 512 words of 36 bits, or of 32 where a byte has no ninth bit. What a port sees of a word at an address, and
// what it leaves there; a port of whole or half words has its byte enables in the lowest bits of the address.
`define CRQ_INITS \
  parameter [BITS-1:0] INIT_RAM_00 = 0; parameter [BITS-1:0] INIT_RAM_01 = 0; \
  parameter [BITS-1:0] INIT_RAM_02 = 0; parameter [BITS-1:0] INIT_RAM_03 = 0; \
  parameter [BITS-1:0] INIT_RAM_04 = 0; parameter [BITS-1:0] INIT_RAM_05 = 0; \
  parameter [BITS-1:0] INIT_RAM_06 = 0; parameter [BITS-1:0] INIT_RAM_07 = 0; \
  parameter [BITS-1:0] INIT_RAM_08 = 0; parameter [BITS-1:0] INIT_RAM_09 = 0; \
  parameter [BITS-1:0] INIT_RAM_0A = 0; parameter [BITS-1:0] INIT_RAM_0B = 0; \
  parameter [BITS-1:0] INIT_RAM_0C = 0; parameter [BITS-1:0] INIT_RAM_0D = 0; \
  parameter [BITS-1:0] INIT_RAM_0E = 0; parameter [BITS-1:0] INIT_RAM_0F = 0; \
  parameter [BITS-1:0] INIT_RAM_10 = 0; parameter [BITS-1:0] INIT_RAM_11 = 0; \
  parameter [BITS-1:0] INIT_RAM_12 = 0; parameter [BITS-1:0] INIT_RAM_13 = 0; \
  parameter [BITS-1:0] INIT_RAM_14 = 0; parameter [BITS-1:0] INIT_RAM_15 = 0; \
  parameter [BITS-1:0] INIT_RAM_16 = 0; parameter [BITS-1:0] INIT_RAM_17 = 0; \
  parameter [BITS-1:0] INIT_RAM_18 = 0; parameter [BITS-1:0] INIT_RAM_19 = 0; \
  parameter [BITS-1:0] INIT_RAM_1A = 0; parameter [BITS-1:0] INIT_RAM_1B = 0; \
  parameter [BITS-1:0] INIT_RAM_1C = 0; parameter [BITS-1:0] INIT_RAM_1D = 0; \
  parameter [BITS-1:0] INIT_RAM_1E = 0; parameter [BITS-1:0] INIT_RAM_1F = 0; \
  parameter [BITS-1:0] INIT_RAM_20 = 0; parameter [BITS-1:0] INIT_RAM_21 = 0; \
  parameter [BITS-1:0] INIT_RAM_22 = 0; parameter [BITS-1:0] INIT_RAM_23 = 0; \
  parameter [BITS-1:0] INIT_RAM_24 = 0; parameter [BITS-1:0] INIT_RAM_25 = 0; \
  parameter [BITS-1:0] INIT_RAM_26 = 0; parameter [BITS-1:0] INIT_RAM_27 = 0; \
  parameter [BITS-1:0] INIT_RAM_28 = 0; parameter [BITS-1:0] INIT_RAM_29 = 0; \
  parameter [BITS-1:0] INIT_RAM_2A = 0; parameter [BITS-1:0] INIT_RAM_2B = 0; \
  parameter [BITS-1:0] INIT_RAM_2C = 0; parameter [BITS-1:0] INIT_RAM_2D = 0; \
  parameter [BITS-1:0] INIT_RAM_2E = 0; parameter [BITS-1:0] INIT_RAM_2F = 0; \
  parameter [BITS-1:0] INIT_RAM_30 = 0; parameter [BITS-1:0] INIT_RAM_31 = 0; \
  parameter [BITS-1:0] INIT_RAM_32 = 0; parameter [BITS-1:0] INIT_RAM_33 = 0; \
  parameter [BITS-1:0] INIT_RAM_34 = 0; parameter [BITS-1:0] INIT_RAM_35 = 0; \
  parameter [BITS-1:0] INIT_RAM_36 = 0; parameter [BITS-1:0] INIT_RAM_37 = 0; \
  parameter [BITS-1:0] INIT_RAM_38 = 0; parameter [BITS-1:0] INIT_RAM_39 = 0; \
  parameter [BITS-1:0] INIT_RAM_3A = 0; parameter [BITS-1:0] INIT_RAM_3B = 0; \
  parameter [BITS-1:0] INIT_RAM_3C = 0; parameter [BITS-1:0] INIT_RAM_3D = 0; \
  parameter [BITS-1:0] INIT_RAM_3E = 0; parameter [BITS-1:0] INIT_RAM_3F = 0;
`define CRQ_WORDS \
  reg [4*BYTE-1:0] mem[0:511]; \
  wire [64*BITS-1:0] init = { \
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38, \
    INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, \
    INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, \
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, \
    INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, \
    INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, \
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08, \
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00 \
  }; \
  integer n; \
  initial for (n = 0; n < 512; n = n + 1) mem[n] = init[n*4*BYTE+:4*BYTE];
`define CRQ_ACCESS \
  function [35:0] seen(input [4*BYTE-1:0] word, input [13:0] address, input integer width); \
    case (width) \
      1: seen = word[address[4:3]*BYTE+address[2:0]]; \
      2: seen = word[address[4:3]*BYTE+{address[2:1], 1'b0}+:2]; \
      4: seen = word[address[4:3]*BYTE+{address[2], 2'b0}+:4]; \
      8, 9: seen = word[address[4:3]*BYTE+:BYTE]; \
      16, 18: seen = word[address[4]*2*BYTE+:2*BYTE]; \
      default: seen = word; \
    endcase \
  endfunction \
  function [4*BYTE-1:0] left(input [4*BYTE-1:0] word, input [35:0] data, input [13:0] address, input integer width); \
    integer k; \
    begin \
      left = word; \
      case (width) \
        1: left[address[4:3]*BYTE+address[2:0]] = data[0]; \
        2: left[address[4:3]*BYTE+{address[2:1], 1'b0}+:2] = data[1:0]; \
        4: left[address[4:3]*BYTE+{address[2], 2'b0}+:4] = data[3:0]; \
        8, 9: left[address[4:3]*BYTE+:BYTE] = data[BYTE-1:0]; \
        16, 18: for (k = 0; k < 2; k = k + 1) \
          if (address[k]) left[(address[4]*2+k)*BYTE+:BYTE] = data[k*BYTE+:BYTE]; \
        default: for (k = 0; k < 4; k = k + 1) \
          if (address[k]) left[k*BYTE+:BYTE] = data[k*BYTE+:BYTE]; \
      endcase \
    end \
  endfunction
// A port: DO stays (mode 0), shows what is written (1) or what was there (2) while it writes.
`define CRQ_PORT(clk, selected, ce, wre, reset, address, data, width, mode, out) \
  always @(posedge clk) begin \
    if (ce && selected && wre) mem[address[13:5]] <= left(mem[address[13:5]], data, address, width); \
    if (ce && selected && !(wre && mode == 0)) \
      out <= wre && mode == 1 ? data : seen(mem[address[13:5]], address, width); \
    if (reset) out <= 0; \
  end

module CRQ_SP #(parameter BYTE = 9) (
    input  CLK, OCE, CE, RESET, WRE,
    input  [2:0] BLKSEL,
    input  [13:0] AD,
    input  [35:0] DI,
    output reg [35:0] DO
);
  localparam BITS = 32 * BYTE;
  parameter BIT_WIDTH = 36;
  parameter READ_MODE = 1'b0;
  parameter [1:0] WRITE_MODE = 0;
  parameter [2:0] BLK_SEL = 0;
  parameter RESET_MODE = "SYNC";
  `CRQ_INITS
  `CRQ_WORDS
  `CRQ_ACCESS
  `CRQ_PORT(CLK, (BLKSEL == BLK_SEL), CE, WRE, RESET, AD, DI, BIT_WIDTH, WRITE_MODE, DO)
endmodule

// Two ports of up to half a word each.
module CRQ_DP #(parameter BYTE = 9) (
    input  CLKA, OCEA, CEA, RESETA, WREA, CLKB, OCEB, CEB, RESETB, WREB,
    input  [2:0] BLKSELA, BLKSELB,
    input  [13:0] ADA, ADB,
    input  [17:0] DIA, DIB,
    output [17:0] DOA, DOB
);
  localparam BITS = 32 * BYTE;
  parameter BIT_WIDTH_0 = 18;
  parameter BIT_WIDTH_1 = 18;
  parameter READ_MODE0 = 1'b0;
  parameter READ_MODE1 = 1'b0;
  parameter [1:0] WRITE_MODE0 = 0;
  parameter [1:0] WRITE_MODE1 = 0;
  parameter [2:0] BLK_SEL_0 = 0;
  parameter [2:0] BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  `CRQ_INITS
  `CRQ_WORDS
  `CRQ_ACCESS
  reg [35:0] a, b;
  wire [35:0] dia = DIA, dib = DIB;
  `CRQ_PORT(CLKA, (BLKSELA == BLK_SEL_0), CEA, WREA, RESETA, ADA, dia, BIT_WIDTH_0, WRITE_MODE0, a)
  `CRQ_PORT(CLKB, (BLKSELB == BLK_SEL_1), CEB, WREB, RESETB, ADB, dib, BIT_WIDTH_1, WRITE_MODE1, b)
  assign DOA = a[17:0];
  assign DOB = b[17:0];
endmodule

// Port A writes, port B reads.
module CRQ_SDP #(parameter BYTE = 9) (
    input  CLKA, CEA, CLKB, CEB, OCE, RESET,
    input  [2:0] BLKSELA, BLKSELB,
    input  [13:0] ADA, ADB,
    input  [35:0] DI,
    output reg [35:0] DO
);
  localparam BITS = 32 * BYTE;
  parameter BIT_WIDTH_0 = 36;
  parameter BIT_WIDTH_1 = 36;
  parameter READ_MODE = 1'b0;
  parameter [2:0] BLK_SEL_0 = 0;
  parameter [2:0] BLK_SEL_1 = 0;
  parameter RESET_MODE = "SYNC";
  `CRQ_INITS
  `CRQ_WORDS
  `CRQ_ACCESS
  always @(posedge CLKA)
    if (CEA && BLKSELA == BLK_SEL_0) mem[ADA[13:5]] <= left(mem[ADA[13:5]], DI, ADA, BIT_WIDTH_0);
  always @(posedge CLKB) begin
    if (CEB && BLKSELB == BLK_SEL_1) DO <= seen(mem[ADB[13:5]], ADB, BIT_WIDTH_1);
    if (RESET) DO <= 0;
  end
endmodule

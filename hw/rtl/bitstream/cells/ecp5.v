// Cells of ECP5 in simulation that Yosys has no right model of: as place and route leaves them, block RAM and PLL.

// A LUT4 with what its slice adds: carry (Yosys's own model drives no FCO), RAM, multiplexers of two LUTs.
module TRELLIS_COMB (
    input  A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK, DI0, DI1,
    output F, FCO, OFX
);
  parameter MODE = "LOGIC";
  parameter [15:0] INITVAL = 0;
  parameter CCU2_INJECT1 = "NO";
  parameter WREMUX = "WRE";
  parameter WCKMUX = "WCK";
  parameter UPPER = 0;  // its multiplexer joins two slices
  wire lut = INITVAL[{D, C, B, A}];
  generate
    if (MODE == "CCU2") begin
      wire pair = INITVAL[{2'b00, B, A}];
      assign F = lut ^ (CCU2_INJECT1 == "YES" ? 1'b0 : FCI);
      assign FCO = lut ? FCI : (CCU2_INJECT1 == "YES" ? 1'b0 : pair);
    end else if (MODE == "DPRAM") begin
      reg [15:0] ram = INITVAL;
      wire write = WREMUX == "INV" ? !WRE : WRE;
      always @(posedge WCK) if (write) ram[{WAD3, WAD2, WAD1, WAD0}] <= WD;
      assign F = ram[{A, C, B, D}];
      assign FCO = 1'b0;
    end else begin
      assign F = lut;
      assign FCO = 1'b0;
    end
    if (UPPER) assign OFX = M ? FXB : FXA;
    else assign OFX = M ? F1 : F;
  endgenerate
endmodule

// The write port of a slice's RAM: names of LUT inputs to address and data.
module TRELLIS_RAMW (
    input  A0, B0, C0, D0, A1, B1, C1, D1,
    output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

module DCCA (
    input  CLKI, CE,
    output CLKO
);
  assign CLKO = CLKI;
endmodule

// In simulation the design has the clock that the simulation gives.
module EHXPLLL (
    input  CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC,
    input  ENCLKOP, ENCLKOS, ENCLKOS2, ENCLKOS3,
    output CLKOP, CLKOS, CLKOS2, CLKOS3, LOCK, INTLOCK, REFCLK, CLKINTFB
);
  parameter PLLRST_ENA = "DISABLED";
  parameter INTFB_WAKE = "DISABLED";
  parameter STDBY_ENABLE = "DISABLED";
  parameter DPHASE_SOURCE = "DISABLED";
  parameter OUTDIVIDER_MUXA = "DIVA";
  parameter OUTDIVIDER_MUXB = "DIVB";
  parameter OUTDIVIDER_MUXC = "DIVC";
  parameter OUTDIVIDER_MUXD = "DIVD";
  parameter CLKI_DIV = 1;
  parameter CLKFB_DIV = 1;
  parameter FEEDBK_PATH = "CLKOP";
  parameter CLKOP_ENABLE = "ENABLED";
  parameter CLKOP_DIV = 1;
  parameter CLKOP_CPHASE = 0;
  parameter CLKOP_FPHASE = 0;
  assign CLKOP = CLKI;
  assign LOCK = 1'b1;
endmodule

// A block of 1024 words of 18 bits, two ports of 1, 2, 4, 9, 18 or 36 bits without output register. A port of 36 bits
// writes at A and reads at B; narrow ports do not see every ninth bit.
module DP16KD (
    input  DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16,
           DIA17, ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13, CEA, OCEA,
           CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
    input  DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16,
           DIB17, ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13, CEB, OCEB,
           CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16,
           DOA17, DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15,
           DOB16, DOB17
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG";
  parameter REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA";
  parameter CLKBMUX = "CLKB";
  parameter CEAMUX = "CEA";
  parameter CEBMUX = "CEB";
  parameter OCEAMUX = "OCEA";
  parameter OCEBMUX = "OCEB";
  parameter WEAMUX = "WEA";
  parameter WEBMUX = "WEB";
  parameter RSTAMUX = "RSTA";
  parameter RSTBMUX = "RSTB";
  parameter GSR = "AUTO";
  parameter INIT_DATA = "STATIC";
  parameter WID = 0;
  parameter [319:0] INITVAL_00 = 0;
  parameter [319:0] INITVAL_01 = 0;
  parameter [319:0] INITVAL_02 = 0;
  parameter [319:0] INITVAL_03 = 0;
  parameter [319:0] INITVAL_04 = 0;
  parameter [319:0] INITVAL_05 = 0;
  parameter [319:0] INITVAL_06 = 0;
  parameter [319:0] INITVAL_07 = 0;
  parameter [319:0] INITVAL_08 = 0;
  parameter [319:0] INITVAL_09 = 0;
  parameter [319:0] INITVAL_0A = 0;
  parameter [319:0] INITVAL_0B = 0;
  parameter [319:0] INITVAL_0C = 0;
  parameter [319:0] INITVAL_0D = 0;
  parameter [319:0] INITVAL_0E = 0;
  parameter [319:0] INITVAL_0F = 0;
  parameter [319:0] INITVAL_10 = 0;
  parameter [319:0] INITVAL_11 = 0;
  parameter [319:0] INITVAL_12 = 0;
  parameter [319:0] INITVAL_13 = 0;
  parameter [319:0] INITVAL_14 = 0;
  parameter [319:0] INITVAL_15 = 0;
  parameter [319:0] INITVAL_16 = 0;
  parameter [319:0] INITVAL_17 = 0;
  parameter [319:0] INITVAL_18 = 0;
  parameter [319:0] INITVAL_19 = 0;
  parameter [319:0] INITVAL_1A = 0;
  parameter [319:0] INITVAL_1B = 0;
  parameter [319:0] INITVAL_1C = 0;
  parameter [319:0] INITVAL_1D = 0;
  parameter [319:0] INITVAL_1E = 0;
  parameter [319:0] INITVAL_1F = 0;
  parameter [319:0] INITVAL_20 = 0;
  parameter [319:0] INITVAL_21 = 0;
  parameter [319:0] INITVAL_22 = 0;
  parameter [319:0] INITVAL_23 = 0;
  parameter [319:0] INITVAL_24 = 0;
  parameter [319:0] INITVAL_25 = 0;
  parameter [319:0] INITVAL_26 = 0;
  parameter [319:0] INITVAL_27 = 0;
  parameter [319:0] INITVAL_28 = 0;
  parameter [319:0] INITVAL_29 = 0;
  parameter [319:0] INITVAL_2A = 0;
  parameter [319:0] INITVAL_2B = 0;
  parameter [319:0] INITVAL_2C = 0;
  parameter [319:0] INITVAL_2D = 0;
  parameter [319:0] INITVAL_2E = 0;
  parameter [319:0] INITVAL_2F = 0;
  parameter [319:0] INITVAL_30 = 0;
  parameter [319:0] INITVAL_31 = 0;
  parameter [319:0] INITVAL_32 = 0;
  parameter [319:0] INITVAL_33 = 0;
  parameter [319:0] INITVAL_34 = 0;
  parameter [319:0] INITVAL_35 = 0;
  parameter [319:0] INITVAL_36 = 0;
  parameter [319:0] INITVAL_37 = 0;
  parameter [319:0] INITVAL_38 = 0;
  parameter [319:0] INITVAL_39 = 0;
  parameter [319:0] INITVAL_3A = 0;
  parameter [319:0] INITVAL_3B = 0;
  parameter [319:0] INITVAL_3C = 0;
  parameter [319:0] INITVAL_3D = 0;
  parameter [319:0] INITVAL_3E = 0;
  parameter [319:0] INITVAL_3F = 0;
  reg [17:0] mem[0:1023];
  wire [64*320-1:0] init = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};
  integer n;
  initial for (n = 0; n < 1024; n = n + 1) mem[n] = init[n*20+:18];
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] din = {{DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0}, {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0}};
  wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  // What a port sees of a word, and what it leaves there.
  function [17:0] seen(input [17:0] word, input [13:0] address, input integer width);
    reg [8:0] half;
    begin
      half = address[3] ? word[17:9] : word[8:0];
      case (width)
        1: seen = half[address[2:0]];
        2: seen = half[{address[2:1], 1'b0}+:2];
        4: seen = half[{address[2], 2'b0}+:4];
        9: seen = half;
        default: seen = word;
      endcase
    end
  endfunction
  function [17:0] left(input [17:0] word, input [17:0] data, input [13:0] address, input integer width, input [1:0] bytes);
    reg [8:0] half;
    begin
      half = address[3] ? word[17:9] : word[8:0];
      case (width)
        1: half[address[2:0]] = data[0];
        2: half[{address[2:1], 1'b0}+:2] = data[1:0];
        4: half[{address[2], 2'b0}+:4] = data[3:0];
        default: half = data[8:0];
      endcase
      left = address[3] ? {half, word[8:0]} : {word[17:9], half};
      if (width >= 18) left = {bytes[1] ? data[17:9] : word[17:9], bytes[0] ? data[8:0] : word[8:0]};
    end
  endfunction
  wire wea = CEA && (WEAMUX == "INV" ? !WEA : WEA) && DATA_WIDTH_A != 36;
  wire web = CEB && (WEBMUX == "INV" ? !WEB : WEB) && DATA_WIDTH_B != 36;
  wire wide = CEA && WEA && DATA_WIDTH_A == 36;
  reg [17:0] doa, dob;
  reg [35:0] both;
  always @(posedge CLKA) begin
    if (wea) mem[ada[13:4]] <= left(mem[ada[13:4]], din[17:0], ada, DATA_WIDTH_A, ada[1:0]);
    if (wide) begin
      mem[{ada[13:5], 1'b0}] <= left(mem[{ada[13:5], 1'b0}], din[17:0], 14'd0, 18, ada[1:0]);
      mem[{ada[13:5], 1'b1}] <= left(mem[{ada[13:5], 1'b1}], din[35:18], 14'd0, 18, ada[3:2]);
    end
    if (CEA && !WEA) doa <= seen(mem[ada[13:4]], ada, DATA_WIDTH_A);
    if (CEA && RSTA) doa <= 0;
  end
  always @(posedge CLKB) begin
    if (web) mem[adb[13:4]] <= left(mem[adb[13:4]], dib, adb, DATA_WIDTH_B, adb[1:0]);
    if (CEB && !WEB) begin
      dob <= seen(mem[adb[13:4]], adb, DATA_WIDTH_B);
      both <= {mem[{adb[13:5], 1'b1}], mem[{adb[13:5], 1'b0}]};
    end
    if (CEB && RSTB) begin
      dob <= 0;
      both <= 0;
    end
  end
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? both[17:0] : doa;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? both[35:18] : dob;
endmodule

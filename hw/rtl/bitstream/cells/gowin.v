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

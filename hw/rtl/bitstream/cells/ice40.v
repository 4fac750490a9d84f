// Cells of iCE40 in simulation: those that Yosys has no model of, and those whose model asks which input is open, which
// is tied here and which Verilator does not know.
module ICESTORM_LC (
    input  I0, I1, I2, I3, CIN, CLK, CEN, SR,
    output LO, O, COUT
);
  parameter [15:0] LUT_INIT = 0;
  parameter [0:0] NEG_CLK = 0;
  parameter [0:0] CARRY_ENABLE = 0;
  parameter [0:0] DFF_ENABLE = 0;
  parameter [0:0] SET_NORESET = 0;
  parameter [0:0] ASYNC_SR = 0;
  parameter [0:0] CIN_CONST = 0;
  parameter [0:0] CIN_SET = 0;
  wire carry = CIN_CONST ? CIN_SET : CIN;
  assign COUT = CARRY_ENABLE && ((I1 && I2) || ((I1 || I2) && carry));
  assign LO = LUT_INIT[{I3, I2, I1, I0}];
  generate
    if (DFF_ENABLE) begin
      reg q = 0;
      wire edge_ = CLK ^ NEG_CLK;
      assign O = q;
      if (ASYNC_SR) begin
        always @(posedge edge_ or posedge SR)
          if (SR) q <= SET_NORESET;
          else if (CEN) q <= LO;
      end else begin
        always @(posedge edge_) if (CEN) q <= SR ? SET_NORESET : LO;
      end
    end else begin
      assign O = LO;
    end
  endgenerate
endmodule

// A global buffer as it is placed.
module SB_GB (
    input  USER_SIGNAL_TO_GLOBAL_BUFFER,
    output GLOBAL_BUFFER_OUTPUT
);
  assign GLOBAL_BUFFER_OUTPUT = USER_SIGNAL_TO_GLOBAL_BUFFER;
endmodule

// In simulation the design has the clock that the simulation gives.
module ICESTORM_PLL (
    input  REFERENCECLK, RESETB, BYPASS,
    output LOCK
);
  assign LOCK = RESETB;
endmodule

module SB_PLL40_CORE (
    input  REFERENCECLK, RESETB, BYPASS,
    output PLLOUTGLOBAL, LOCK
);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter [3:0] DIVR = 0;
  parameter [6:0] DIVF = 0;
  parameter [2:0] DIVQ = 0;
  parameter [2:0] FILTER_RANGE = 0;
  assign PLLOUTGLOBAL = REFERENCECLK;
  assign LOCK = RESETB;
endmodule

module SB_PLL40_PAD (
    input  PACKAGEPIN, RESETB, BYPASS,
    output PLLOUTGLOBAL, LOCK
);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter [3:0] DIVR = 0;
  parameter [6:0] DIVF = 0;
  parameter [2:0] DIVQ = 0;
  parameter [2:0] FILTER_RANGE = 0;
  assign PLLOUTGLOBAL = PACKAGEPIN;
  assign LOCK = RESETB;
endmodule

module ICESTORM_RAM (
    input  RCLK, RCLKE, RE, WCLK, WCLKE, WE, RADDR_0, RADDR_1, RADDR_2, RADDR_3, RADDR_4, RADDR_5, RADDR_6,
           RADDR_7, RADDR_8, RADDR_9, RADDR_10, WADDR_0, WADDR_1, WADDR_2, WADDR_3, WADDR_4, WADDR_5, WADDR_6,
           WADDR_7, WADDR_8, WADDR_9, WADDR_10, MASK_0, MASK_1, MASK_2, MASK_3, MASK_4, MASK_5, MASK_6, MASK_7,
           MASK_8, MASK_9, MASK_10, MASK_11, MASK_12, MASK_13, MASK_14, MASK_15, WDATA_0, WDATA_1, WDATA_2,
           WDATA_3, WDATA_4, WDATA_5, WDATA_6, WDATA_7, WDATA_8, WDATA_9, WDATA_10, WDATA_11, WDATA_12,
           WDATA_13, WDATA_14, WDATA_15,
    output RDATA_0, RDATA_1, RDATA_2, RDATA_3, RDATA_4, RDATA_5, RDATA_6, RDATA_7, RDATA_8, RDATA_9, RDATA_10,
           RDATA_11, RDATA_12, RDATA_13, RDATA_14, RDATA_15
);
  parameter WRITE_MODE = 0;
  parameter READ_MODE = 0;
  parameter NEG_CLK_R = 0;
  parameter NEG_CLK_W = 0;
  parameter [255:0] INIT_0 = 0;
  parameter [255:0] INIT_1 = 0;
  parameter [255:0] INIT_2 = 0;
  parameter [255:0] INIT_3 = 0;
  parameter [255:0] INIT_4 = 0;
  parameter [255:0] INIT_5 = 0;
  parameter [255:0] INIT_6 = 0;
  parameter [255:0] INIT_7 = 0;
  parameter [255:0] INIT_8 = 0;
  parameter [255:0] INIT_9 = 0;
  parameter [255:0] INIT_A = 0;
  parameter [255:0] INIT_B = 0;
  parameter [255:0] INIT_C = 0;
  parameter [255:0] INIT_D = 0;
  parameter [255:0] INIT_E = 0;
  parameter [255:0] INIT_F = 0;
  SB_RAM40_4K #(
      .WRITE_MODE(WRITE_MODE), .READ_MODE(READ_MODE),
      .INIT_0(INIT_0), .INIT_1(INIT_1), .INIT_2(INIT_2), .INIT_3(INIT_3),
      .INIT_4(INIT_4), .INIT_5(INIT_5), .INIT_6(INIT_6), .INIT_7(INIT_7),
      .INIT_8(INIT_8), .INIT_9(INIT_9), .INIT_A(INIT_A), .INIT_B(INIT_B),
      .INIT_C(INIT_C), .INIT_D(INIT_D), .INIT_E(INIT_E), .INIT_F(INIT_F)
  ) ram (
      .RCLK(RCLK), .RCLKE(RCLKE), .RE(RE), .WCLK(WCLK), .WCLKE(WCLKE), .WE(WE),
      .RDATA({RDATA_15, RDATA_14, RDATA_13, RDATA_12, RDATA_11, RDATA_10, RDATA_9, RDATA_8, RDATA_7, RDATA_6, RDATA_5, RDATA_4, RDATA_3, RDATA_2, RDATA_1, RDATA_0}),
      .RADDR({RADDR_10, RADDR_9, RADDR_8, RADDR_7, RADDR_6, RADDR_5, RADDR_4, RADDR_3, RADDR_2, RADDR_1, RADDR_0}),
      .WADDR({WADDR_10, WADDR_9, WADDR_8, WADDR_7, WADDR_6, WADDR_5, WADDR_4, WADDR_3, WADDR_2, WADDR_1, WADDR_0}),
      .MASK({MASK_15, MASK_14, MASK_13, MASK_12, MASK_11, MASK_10, MASK_9, MASK_8, MASK_7, MASK_6, MASK_5, MASK_4, MASK_3, MASK_2, MASK_1, MASK_0}),
      .WDATA({WDATA_15, WDATA_14, WDATA_13, WDATA_12, WDATA_11, WDATA_10, WDATA_9, WDATA_8, WDATA_7, WDATA_6, WDATA_5, WDATA_4, WDATA_3, WDATA_2, WDATA_1, WDATA_0})
  );
endmodule

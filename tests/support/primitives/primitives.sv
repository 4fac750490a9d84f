// Behaviour of the primitives that hw/rtl/lib and Yosys's netlists instantiate (AMD UG974 and UG953, library guides;
// Lattice FPGA-DS-02012).
module LUT6_2 #(parameter bit [63:0] INIT = 0) (
    output O6, output O5, input I0, input I1, input I2, input I3, input I4, input I5);
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
endmodule

module CARRY4 (output [3:0] CO, output [3:0] O, input CI, input CYINIT, input [3:0] DI, input [3:0] S);
  wire [4:0] c;
  assign c[0] = CI | CYINIT;
  for (genvar i = 0; i < 4; i++) assign c[i+1] = S[i] ? c[i] : DI[i];
  assign CO = c[4:1];
  assign O = S ^ c[3:0];
endmodule

module CARRY8 #(parameter CARRY_TYPE = "SINGLE_CY8") (
    output [7:0] CO, output [7:0] O, input CI, input CI_TOP, input [7:0] DI, input [7:0] S);
  wire [8:0] c;
  assign c[0] = CI;
  for (genvar i = 0; i < 8; i++) assign c[i+1] = S[i] ? c[i] : DI[i];
  assign CO = c[8:1];
  assign O = S ^ c[7:0];
  wire unused = CI_TOP;
endmodule

module CCU2C #(parameter bit [15:0] INIT0 = 0, parameter bit [15:0] INIT1 = 0, parameter INJECT1_0 = "YES",
               parameter INJECT1_1 = "YES") (
    input CIN, input A0, input B0, input C0, input D0, input A1, input B1, input C1, input D1,
    output S0, output S1, output COUT);
  wire s0 = INIT0[{D0, C0, B0, A0}], s1 = INIT1[{D1, C1, B1, A1}];
  wire c = s0 ? CIN : INJECT1_0 == "NO" && INIT0[{2'b0, B0, A0}];
  assign S0 = s0 ^ (INJECT1_0 == "NO" && CIN);
  assign S1 = s1 ^ (INJECT1_1 == "NO" && c);
  assign COUT = s1 ? c : INJECT1_1 == "NO" && INIT1[{2'b0, B1, A1}];
endmodule

// What is left of a mapped netlist of xcup or xc7.
module LUT1 #(parameter bit [1:0] INIT = 0) (output O, input I0);
  assign O = INIT[I0];
endmodule
module LUT2 #(parameter bit [3:0] INIT = 0) (output O, input I0, input I1);
  assign O = INIT[{I1, I0}];
endmodule
module LUT3 #(parameter bit [7:0] INIT = 0) (output O, input I0, input I1, input I2);
  assign O = INIT[{I2, I1, I0}];
endmodule
module LUT4 #(parameter bit [15:0] INIT = 0) (output O, input I0, input I1, input I2, input I3);
  assign O = INIT[{I3, I2, I1, I0}];
endmodule
module LUT5 #(parameter bit [31:0] INIT = 0) (output O, input I0, input I1, input I2, input I3, input I4);
  assign O = INIT[{I4, I3, I2, I1, I0}];
endmodule
module LUT6 #(parameter bit [63:0] INIT = 0) (output O, input I0, input I1, input I2, input I3, input I4, input I5);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule
module INV (output O, input I);
  assign O = !I;
endmodule
module FDRE #(parameter bit INIT = 0, parameter bit IS_C_INVERTED = 0, parameter bit IS_D_INVERTED = 0,
              parameter bit IS_R_INVERTED = 0) (output logic Q, input C, input CE, input D, input R);
  initial Q = INIT;
  always_ff @(posedge C) if (R) Q <= 0; else if (CE) Q <= D;
endmodule

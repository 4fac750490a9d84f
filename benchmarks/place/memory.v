// A model of ECP5's block RAM as Yosys uses it: no output registers, no chip selects, one clock edge. 1024 words of two
// bytes of nine bits, the ninth unused at widths below nine; a port of 36 bits takes both halves of the data pins, written
// by A and read by B.
module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter GSR = "ENABLED",
    parameter INIT_DATA = "STATIC",
    parameter [319:0] INITVAL_00 = 0,
    parameter [319:0] INITVAL_01 = 0,
    parameter [319:0] INITVAL_02 = 0,
    parameter [319:0] INITVAL_03 = 0,
    parameter [319:0] INITVAL_04 = 0,
    parameter [319:0] INITVAL_05 = 0,
    parameter [319:0] INITVAL_06 = 0,
    parameter [319:0] INITVAL_07 = 0,
    parameter [319:0] INITVAL_08 = 0,
    parameter [319:0] INITVAL_09 = 0,
    parameter [319:0] INITVAL_0A = 0,
    parameter [319:0] INITVAL_0B = 0,
    parameter [319:0] INITVAL_0C = 0,
    parameter [319:0] INITVAL_0D = 0,
    parameter [319:0] INITVAL_0E = 0,
    parameter [319:0] INITVAL_0F = 0,
    parameter [319:0] INITVAL_10 = 0,
    parameter [319:0] INITVAL_11 = 0,
    parameter [319:0] INITVAL_12 = 0,
    parameter [319:0] INITVAL_13 = 0,
    parameter [319:0] INITVAL_14 = 0,
    parameter [319:0] INITVAL_15 = 0,
    parameter [319:0] INITVAL_16 = 0,
    parameter [319:0] INITVAL_17 = 0,
    parameter [319:0] INITVAL_18 = 0,
    parameter [319:0] INITVAL_19 = 0,
    parameter [319:0] INITVAL_1A = 0,
    parameter [319:0] INITVAL_1B = 0,
    parameter [319:0] INITVAL_1C = 0,
    parameter [319:0] INITVAL_1D = 0,
    parameter [319:0] INITVAL_1E = 0,
    parameter [319:0] INITVAL_1F = 0,
    parameter [319:0] INITVAL_20 = 0,
    parameter [319:0] INITVAL_21 = 0,
    parameter [319:0] INITVAL_22 = 0,
    parameter [319:0] INITVAL_23 = 0,
    parameter [319:0] INITVAL_24 = 0,
    parameter [319:0] INITVAL_25 = 0,
    parameter [319:0] INITVAL_26 = 0,
    parameter [319:0] INITVAL_27 = 0,
    parameter [319:0] INITVAL_28 = 0,
    parameter [319:0] INITVAL_29 = 0,
    parameter [319:0] INITVAL_2A = 0,
    parameter [319:0] INITVAL_2B = 0,
    parameter [319:0] INITVAL_2C = 0,
    parameter [319:0] INITVAL_2D = 0,
    parameter [319:0] INITVAL_2E = 0,
    parameter [319:0] INITVAL_2F = 0,
    parameter [319:0] INITVAL_30 = 0,
    parameter [319:0] INITVAL_31 = 0,
    parameter [319:0] INITVAL_32 = 0,
    parameter [319:0] INITVAL_33 = 0,
    parameter [319:0] INITVAL_34 = 0,
    parameter [319:0] INITVAL_35 = 0,
    parameter [319:0] INITVAL_36 = 0,
    parameter [319:0] INITVAL_37 = 0,
    parameter [319:0] INITVAL_38 = 0,
    parameter [319:0] INITVAL_39 = 0,
    parameter [319:0] INITVAL_3A = 0,
    parameter [319:0] INITVAL_3B = 0,
    parameter [319:0] INITVAL_3C = 0,
    parameter [319:0] INITVAL_3D = 0,
    parameter [319:0] INITVAL_3E = 0,
    parameter [319:0] INITVAL_3F = 0
) (
    input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
    input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
    input CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
    output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
    input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
    input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    input CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
    output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
);
  reg [17:0] words[0:1023];
  task fill(input integer at, input [319:0] bits);
    integer i;
    for (i = 0; i < 16; i = i + 1) words[at*16+i] = bits[i*20+:18];
  endtask
  initial begin
    fill(0, INITVAL_00);
    fill(1, INITVAL_01);
    fill(2, INITVAL_02);
    fill(3, INITVAL_03);
    fill(4, INITVAL_04);
    fill(5, INITVAL_05);
    fill(6, INITVAL_06);
    fill(7, INITVAL_07);
    fill(8, INITVAL_08);
    fill(9, INITVAL_09);
    fill(10, INITVAL_0A);
    fill(11, INITVAL_0B);
    fill(12, INITVAL_0C);
    fill(13, INITVAL_0D);
    fill(14, INITVAL_0E);
    fill(15, INITVAL_0F);
    fill(16, INITVAL_10);
    fill(17, INITVAL_11);
    fill(18, INITVAL_12);
    fill(19, INITVAL_13);
    fill(20, INITVAL_14);
    fill(21, INITVAL_15);
    fill(22, INITVAL_16);
    fill(23, INITVAL_17);
    fill(24, INITVAL_18);
    fill(25, INITVAL_19);
    fill(26, INITVAL_1A);
    fill(27, INITVAL_1B);
    fill(28, INITVAL_1C);
    fill(29, INITVAL_1D);
    fill(30, INITVAL_1E);
    fill(31, INITVAL_1F);
    fill(32, INITVAL_20);
    fill(33, INITVAL_21);
    fill(34, INITVAL_22);
    fill(35, INITVAL_23);
    fill(36, INITVAL_24);
    fill(37, INITVAL_25);
    fill(38, INITVAL_26);
    fill(39, INITVAL_27);
    fill(40, INITVAL_28);
    fill(41, INITVAL_29);
    fill(42, INITVAL_2A);
    fill(43, INITVAL_2B);
    fill(44, INITVAL_2C);
    fill(45, INITVAL_2D);
    fill(46, INITVAL_2E);
    fill(47, INITVAL_2F);
    fill(48, INITVAL_30);
    fill(49, INITVAL_31);
    fill(50, INITVAL_32);
    fill(51, INITVAL_33);
    fill(52, INITVAL_34);
    fill(53, INITVAL_35);
    fill(54, INITVAL_36);
    fill(55, INITVAL_37);
    fill(56, INITVAL_38);
    fill(57, INITVAL_39);
    fill(58, INITVAL_3A);
    fill(59, INITVAL_3B);
    fill(60, INITVAL_3C);
    fill(61, INITVAL_3D);
    fill(62, INITVAL_3E);
    fill(63, INITVAL_3F);
  end

  // The bits of a word that an access touches, and their place: bit 0 of data, by width and address.
  function automatic integer place(input integer width, input [13:0] at);
    case (width)
      9: place = at[3] ? 9 : 0;
      4: place = (at[3] ? 9 : 0) + (at[2] ? 4 : 0);
      2: place = (at[3] ? 9 : 0) + 2 * at[2:1];
      1: place = (at[3] ? 9 : 0) + at[2:0];
      default: place = 0;
    endcase
  endfunction
  function automatic [17:0] touched(input integer width, input [13:0] at);
    touched = width >= 18 ? {{9{at[1]}}, {9{at[0]}}} : ((18'd1 << width) - 18'd1) << place(width, at);
  endfunction
  function automatic [17:0] written(input [17:0] old, input integer width, input [13:0] at, input [17:0] data);
    written = (old & ~touched(width, at)) | ((data << place(width, at)) & touched(width, at));
  endfunction
  function automatic [17:0] shown(input [17:0] word, input integer width, input [13:0] at);
    shown = width >= 18 ? word : (word >> place(width, at)) & ((18'd1 << width) - 18'd1);
  endfunction

  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0}, adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] dia = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] dib = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  reg [17:0] qa = 0, qb = 0;
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = qa;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = qb;
  generate
    if (DATA_WIDTH_A == 36 || DATA_WIDTH_B == 36) begin : wide
      always @(posedge CLKA) begin
        if (CEA && WEA && DATA_WIDTH_A == 36) begin
          words[{ada[13:5], 1'b0}] <= written(words[{ada[13:5], 1'b0}], 18, {12'd0, ada[1:0]}, dia);
          words[{ada[13:5], 1'b1}] <= written(words[{ada[13:5], 1'b1}], 18, {12'd0, ada[3:2]}, dib);
        end else if (CEA && WEA) words[ada[13:4]] <= written(words[ada[13:4]], DATA_WIDTH_A, ada, dia);
      end
      always @(posedge CLKB) begin
        if (RSTB) {qb, qa} <= 0;
        else if (CEB && DATA_WIDTH_B == 36) {qb, qa} <= {words[{adb[13:5], 1'b1}], words[{adb[13:5], 1'b0}]};
        else if (CEB) qb <= shown(words[adb[13:4]], DATA_WIDTH_B, adb);
      end
    end else begin : narrow
      always @(posedge CLKA) begin
        if (CEA && WEA) words[ada[13:4]] <= written(words[ada[13:4]], DATA_WIDTH_A, ada, dia);
        if (RSTA) qa <= 0;
        else if (CEA && (!WEA || WRITEMODE_A != "NORMAL"))
          qa <= shown(WEA && WRITEMODE_A == "WRITETHROUGH" ? written(words[ada[13:4]], DATA_WIDTH_A, ada, dia)
                                                           : words[ada[13:4]], DATA_WIDTH_A, ada);
      end
      always @(posedge CLKB) begin
        if (CEB && WEB) words[adb[13:4]] <= written(words[adb[13:4]], DATA_WIDTH_B, adb, dib);
        if (RSTB) qb <= 0;
        else if (CEB && (!WEB || WRITEMODE_B != "NORMAL"))
          qb <= shown(WEB && WRITEMODE_B == "WRITETHROUGH" ? written(words[adb[13:4]], DATA_WIDTH_B, adb, dib)
                                                           : words[adb[13:4]], DATA_WIDTH_B, adb);
      end
    end
  endgenerate
endmodule

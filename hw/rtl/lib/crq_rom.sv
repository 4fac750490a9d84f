// Registered ROM, content from a hexadecimal file, in block RAM or in LUTs.
(* keep_hierarchy *)
module crq_rom #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter bit BLOCK = 0,
    parameter FILE = "",
    parameter int AB = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  logic             clk,
    input  logic             en,
    input  logic [AB-1:0]    address,
    output logic [WIDTH-1:0] q
);
  if (BLOCK) begin : gen_block
    (* rom_style = "block" *)
    logic [WIDTH-1:0] words[0:DEPTH-1];
    initial $readmemh(FILE, words);
    always_ff @(posedge clk) if (en) q <= words[address];
  end else begin : gen_lut
    (* rom_style = "logic" *)
    logic [WIDTH-1:0] words[0:DEPTH-1];
    initial $readmemh(FILE, words);
    always_ff @(posedge clk) if (en) q <= words[address];
  end
endmodule

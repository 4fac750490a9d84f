// A shift register of DEPTH stages for control bits; cleared by reset.
module crq_delay #(
    parameter int WIDTH = 1,
    parameter int DEPTH = 1
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             en,
    input  logic [WIDTH-1:0] d,
    output logic [WIDTH-1:0] q
);
  logic [WIDTH*DEPTH-1:0] chain;
  wire [WIDTH*(DEPTH+1)-1:0] moved = {chain, d};
  assign q = chain[WIDTH*(DEPTH-1)+:WIDTH];
  always_ff @(posedge clk) begin
    if (rst) chain <= '0;
    else if (en) chain <= moved[WIDTH*DEPTH-1:0];
  end
  wire unused = &moved[WIDTH*DEPTH+:WIDTH];
endmodule

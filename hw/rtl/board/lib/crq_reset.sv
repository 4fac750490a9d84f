// Reset for some cycles after configuration and whenever the PLL has lost its clock.
module crq_reset (
    input  logic clk,
    input  logic locked,
    output logic rst
);
  logic [1:0] seen;
  logic [3:0] count;
  initial begin
    seen  = '0;
    count = '0;
    rst   = 1'b1;
  end
  always_ff @(posedge clk) begin
    seen <= {seen[0], locked};
    if (!seen[1]) count <= '0;
    else if (count != '1) count <= count + 1'b1;
    rst <= count != '1;
  end
endmodule

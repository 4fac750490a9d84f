// The register of a unit's result. `free`: it takes a new one in this cycle.
module crq_output #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             push,
    output logic             free,
    input  logic [WIDTH-1:0] d,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [WIDTH-1:0] out_data
);
  assign free = !out_valid || out_ready;
  always_ff @(posedge clk) begin
    if (rst) out_valid <= 1'b0;
    else if (free) out_valid <= push;
    if (free && push) out_data <= d;
  end
endmodule

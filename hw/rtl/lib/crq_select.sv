// Registered N:1 multiplexer: the operands of one step out of the window.
(* keep_hierarchy *)
module crq_select #(
    parameter int WIDTH = 4,
    parameter int N = 4,
    parameter int SB = N > 1 ? $clog2(N) : 1
) (
    input  logic               clk,
    input  logic               en,
    input  logic [N*WIDTH-1:0] d,
    input  logic [SB-1:0]      sel,
    output logic [WIDTH-1:0]   q
);
  logic [WIDTH-1:0] picked;
  crq_mux #(.WIDTH(WIDTH), .N(N)) u_mux (.d(d), .sel(sel), .q(picked));
  always_ff @(posedge clk) if (en) q <= picked;
endmodule

// N:1 multiplexer of WIDTH bits as a binary tree: element `sel` of `d`.
module crq_mux #(
    parameter int WIDTH = 4,
    parameter int N = 4,
    parameter int SB = N > 1 ? $clog2(N) : 1
) (
    input  logic [N*WIDTH-1:0] d,
    input  logic [SB-1:0]      sel,
    output logic [WIDTH-1:0]   q
);
  if (N == 1) begin : gen_wire
    logic unused;
    assign unused = &sel;
    assign q = d;
  end else begin : gen_tree
    localparam int HALF = (N + 1) / 2;
    logic [HALF*WIDTH-1:0] half;
    for (genvar i = 0; i < HALF; i++) begin : gen_pair
      if (2 * i + 1 < N) begin : gen_two
        assign half[i*WIDTH+:WIDTH] = sel[0] ? d[(2*i+1)*WIDTH+:WIDTH] : d[2*i*WIDTH+:WIDTH];
      end else begin : gen_odd
        assign half[i*WIDTH+:WIDTH] = d[2*i*WIDTH+:WIDTH];
      end
    end
    if (HALF == 1) begin : gen_done
      assign q = half;
    end else begin : gen_more
      crq_mux #(.WIDTH(WIDTH), .N(HALF)) u_rest (.d(half), .sel(sel[SB-1:1]), .q(q));
    end
  end
endmodule

// Bytes to a serial line: a start bit, eight bits, a stop bit, `divisor` cycles each. `idle` when all has been sent.
module crq_uart_tx (
    input  logic        clk,
    input  logic        rst,
    output logic        tx,
    input  logic [15:0] divisor,
    input  logic        valid,
    output logic        ready,
    input  logic [ 7:0] data
);
  logic [15:0] count;
  logic [3:0] left;
  logic [8:0] bits;
  assign ready = left == '0;
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      tx <= 1'b1;
      count <= '0;
    end else if (ready) begin
      if (valid) left <= 4'd10;
      tx <= !valid;
      count <= divisor - 1'b1;
    end else if (count != '0) begin
      count <= count - 1'b1;
    end else begin
      tx <= left == 4'd1 || bits[0];
      left <= left - 1'b1;
      count <= divisor - 1'b1;
    end
    if (ready && valid) bits <= {1'b1, data};
    else if (count == '0) bits <= {1'b1, bits[8:1]};
  end
endmodule

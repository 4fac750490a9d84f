// Bytes from a serial line, eight bits and a stop bit, `divisor` cycles each (at least 4). A line that is held low for
// a whole byte and its stop bit is a break.
module crq_uart_rx (
    input  logic        clk,
    input  logic        rst,
    input  logic        rx,
    input  logic [15:0] divisor,
    output logic        valid,
    output logic [ 7:0] data,
    output logic        broken
);
  logic [1:0] seen;
  wire line = seen[1];
  logic [15:0] count;
  logic [3:0] left;  // bits to come, the start bit first
  logic waiting;     // for the line to be high again
  wire sample = left != '0 && count == '0;
  always_ff @(posedge clk) begin
    seen <= {seen[0], rx};
    if (sample) data <= left == 4'd1 ? data : {line, data[7:1]};
    if (rst) begin
      left <= '0;
      waiting <= 1'b1;
      valid <= 1'b0;
      broken <= 1'b0;
      count <= '0;
    end else begin
      valid <= sample && left == 4'd1 && line;
      broken <= sample && left == 4'd1 && !line && data == '0;
      if (left == '0) begin
        waiting <= waiting && !line;
        count <= divisor >> 1;
        if (!waiting && !line) left <= 4'd10;
      end else if (!sample) begin
        count <= count - 1'b1;
      end else begin
        count <= divisor - 1'b1;
        left <= left == 4'd10 && line ? '0 : left - 1'b1;  // a start bit that was none
        if (left == 4'd1) waiting <= !line;
      end
    end
  end
endmodule

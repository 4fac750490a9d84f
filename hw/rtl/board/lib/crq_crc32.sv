// CRC-32 of IEEE 802.3 (zlib's) over bytes, a bit per cycle: a byte may come every 8 cycles. `sum` is not inverted yet.
module crq_crc32 (
    input  logic        clk,
    input  logic        clear,
    input  logic        valid,
    input  logic [ 7:0] data,
    output logic [31:0] sum,
    output logic        busy
);
  logic [7:0] bits;
  logic [3:0] left;
  assign busy = left != '0;
  always_ff @(posedge clk) begin
    if (clear) begin
      sum <= '1;
      left <= '0;
    end else if (valid) begin
      bits <= data;
      left <= 4'd8;
    end else if (busy) begin
      sum <= (sum >> 1) ^ (sum[0] ^ bits[0] ? 32'hEDB88320 : '0);
      bits <= bits >> 1;
      left <= left - 1'b1;
    end
  end
endmodule

// The board's end of the wire protocol (docs/bitstream.md): requests in, answers out. A whole image is taken into memory
// and its CRC checked before the network sees any of it. Every error is answered after the line has been quiet, so that
// what follows a damaged request is not taken for another one. A break on the line resets all but the clock.
module crq_serial #(
    parameter int IMAGE = 64,   // bytes
    parameter int RESULT = 20,
    parameter int INFO = 20,
    parameter bit [INFO*8-1:0] FACTS = '0,
    parameter bit [31:0] HASH = '0,
    parameter bit [15:0] DIVISOR = 16'd217,  // cycles per bit after reset
    parameter int QUIET = 16  // log2 of the bits after which a request that stops is given up
) (
    input  logic       clk,
    input  logic       rst,
    input  logic       rx,
    output logic       tx,
    output logic       network_rst,
    output logic       image_valid,
    input  logic       image_ready,
    output logic [7:0] image_data,
    input  logic       result_valid,
    output logic       result_ready,
    input  logic [7:0] result_data,
    output logic       busy,
    output logic       failed  // the last answer was an error
);
  localparam bit [7:0] ASK = 8'hC5, ANSWER = 8'h5C, VERSION = 8'd1;
  localparam bit [7:0] RUN = 8'd1, TELL = 8'd2, SPEED = 8'd3;
  localparam bit [7:0] OK = 8'd0, BAD_CRC = 8'd1, WRONG_HASH = 8'd2, OVERRUN = 8'd3, BAD_VERSION = 8'd4;
  localparam bit [7:0] BAD_COMMAND = 8'd5, TIMEOUT = 8'd6;
  localparam int LONGEST = IMAGE > RESULT ? IMAGE : RESULT;
  localparam int PB = LONGEST > 32 ? $clog2(LONGEST + 1) : 6;

  typedef enum logic [3:0] {HEAD, BODY, SUM, JUDGE, DRAIN, TITLE, CONTENT, TAIL, FINISH} state_t;
  state_t state;
  logic [PB-1:0] place;  // byte of the part that `state` is in
  logic [7:0] command, status;
  logic [15:0] divisor, argument;
  logic late;  // bytes came that nobody could take

  wire got, broken;
  wire [7:0] data;
  wire reset = rst || broken;
  crq_uart_rx u_rx (.clk(clk), .rst(rst), .rx(rx), .divisor(divisor), .valid(got), .data(data), .broken(broken));

  // Bits of silence.
  logic [15:0] cycle;
  logic [QUIET:0] quiet;
  always_ff @(posedge clk) begin
    cycle <= cycle == '0 || got ? divisor : cycle - 1'b1;
    if (reset || got || state == JUDGE) quiet <= '0;
    else if (cycle == '0 && !quiet[QUIET]) quiet <= quiet + 1'b1;
  end

  // CRC of what is received, and then of what is sent.
  wire sent;
  logic [7:0] next;
  wire [31:0] sum;
  wire summing;
  wire receiving = state == HEAD || state == BODY || state == SUM;
  wire clear = reset || (state == HEAD && place == '0 && !got) || state == DRAIN || (state == JUDGE && !summing);
  logic judged, good;  // in JUDGE: all bytes are summed, and their sum is right
  always_ff @(posedge clk) begin
    judged <= state == JUDGE && !summing && !judged;
    good <= sum == 32'hDEBB20E3;  // what the sum of anything with its own CRC is
  end
  crq_crc32 u_crc (
      .clk(clk), .clear(clear), .valid(receiving ? got : sent && state != TAIL), .data(receiving ? data : next),
      .sum(sum), .busy(summing)
  );

  // The image: written as it comes, read ahead of the network.
  (* no_rw_check *)
  logic [7:0] memory[0:IMAGE-1];
  logic [PB-1:0] ahead;
  logic giving;
  localparam int IB = IMAGE > 1 ? $clog2(IMAGE) : 1;
  wire move = !image_valid || image_ready;
  always_ff @(posedge clk) begin
    if (state == BODY && got) memory[place[IB-1:0]] <= data;
    if (move) image_data <= memory[ahead[IB-1:0]];
  end
  always_ff @(posedge clk) begin
    if (reset) begin
      giving <= 1'b0;
      image_valid <= 1'b0;
    end else begin
      if (judged) giving <= command == RUN && status == OK && good;
      else if (giving && move && ahead == PB'(IMAGE - 1)) giving <= 1'b0;
      if (move) image_valid <= giving;
    end
    if (state == JUDGE) ahead <= '0;
    else if (giving && move) ahead <= ahead + 1'b1;
  end

  // Bytes come and go tens of cycles apart: what is known of the place where one stands may be a register.
  logic last_byte, last_sent, settled;
  wire [15:0] length = status != OK ? '0 : command == RUN ? 16'(RESULT) : command == TELL ? 16'(INFO) : '0;
  wire sending = state == TITLE || state == CONTENT || state == TAIL;
  always_ff @(posedge clk) begin
    last_byte <= state == HEAD ? place == PB'(8) : state == BODY ? place == PB'(IMAGE - 1) : place == PB'(3);
    last_sent <= state == TITLE ? place == PB'(4) : state == TAIL ? place == PB'(3) : 16'(place) == length - 1'b1;
    settled <= sending && !sent && (state != CONTENT || command != RUN || result_valid);
  end

  wire free;
  // A byte's CRC is made while it is sent.
  assign sent = free && settled && !summing;
  assign result_ready = state == CONTENT && command == RUN && sent;
  crq_uart_tx u_tx (.clk(clk), .rst(reset), .tx(tx), .divisor(divisor), .valid(sent), .ready(free), .data(next));

  wire [7:0] title[0:4];
  assign title[0] = ANSWER;
  assign title[1] = VERSION;
  assign title[2] = status;
  assign title[3] = length[7:0];
  assign title[4] = length[15:8];
  wire [31:0] inverted = ~sum;
  always_ff @(posedge clk) begin
    if (state == TITLE) next <= title[place[2:0]];
    else if (state == TAIL) next <= inverted[{place[1:0], 3'b0}+:8];
    else if (command == RUN) next <= result_data;
    else next <= FACTS[{place[4:0], 3'b0}+:8];
  end

  always_ff @(posedge clk) network_rst <= reset;
  assign busy = state != HEAD;
  always_ff @(posedge clk) begin
    if (reset) begin
      state <= HEAD;
      place <= '0;
      divisor <= DIVISOR;
      late <= 1'b0;
      status <= OK;
      command <= '0;
      failed <= 1'b0;
    end else begin
      case (state)
        HEAD, BODY, SUM: begin
          if (got) begin
            place <= last_byte ? '0 : place + 1'b1;
            if (state == HEAD) begin
              case (place[3:0])
                4'd0: begin
                  status <= OK;
                  if (data != ASK) place <= '0;
                end
                4'd1: if (data != VERSION) status <= BAD_VERSION;
                4'd2: begin
                  command <= data;
                  if (status == OK && (data < RUN || data > SPEED)) status <= BAD_COMMAND;
                end
                4'd3: argument[7:0] <= data;
                4'd4: argument[15:8] <= data;
                default: begin
                  if (status == OK && command == RUN && data != HASH[{place[1:0] - 2'd1, 3'b0}+:8]) status <= WRONG_HASH;
                  if (status == OK && command == SPEED && argument[15:2] == '0) status <= BAD_COMMAND;
                end
              endcase
            end
            if (last_byte) begin
              if (state == HEAD) state <= command == RUN && status <= WRONG_HASH ? BODY : SUM;
              else if (state == BODY) state <= SUM;
              else state <= JUDGE;
            end
          end else if (quiet[QUIET] && (state != HEAD || place != '0)) begin
            status <= TIMEOUT;
            state <= DRAIN;
            place <= '0;
          end
        end
        JUDGE: begin
          if (got) late <= 1'b1;
          if (judged) begin
            if (!good) status <= BAD_CRC;
            state <= status == OK && good ? TITLE : DRAIN;
          end
        end
        DRAIN: if (|quiet[QUIET:5]) state <= TITLE;
        FINISH: begin
          if (free) begin
            late <= 1'b0;
            state <= late ? DRAIN : HEAD;
            if (late) status <= OVERRUN;
            if (command == SPEED && status == OK) divisor <= argument;
          end else if (got) begin
            late <= 1'b1;
          end
        end
        default: begin
          if (got) late <= 1'b1;
          if (sent) begin
            place <= last_sent ? '0 : place + 1'b1;
            if (last_sent) state <= state == TAIL ? FINISH : state == CONTENT || length == '0 ? TAIL : CONTENT;
          end
          failed <= status != OK;
        end
      endcase
    end
  end
endmodule

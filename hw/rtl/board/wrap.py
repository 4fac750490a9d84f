"""A design with all that a board needs around it: its clock, the wire protocol, its pins."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from crq.hw.dataflow.words import Port
from crq.hw.devices.boards import OpenBoard
from crq.hw.rtl.board.pll import pll
from crq.hw.rtl.board.protocol import Facts, code_bytes
from crq.hw.rtl.verilog import Design

BAUD = 115_200
"""Bits per second after a reset."""
LEDS = ("running", "busy", "failed")
"""What the first LEDs show."""


class Wrapped(NamedTuple):
    """A design whose top has a board's pins. mhz: of its clock. divisor: cycles per bit after a reset."""

    design: Design
    board: OpenBoard
    mhz: float
    divisor: int
    facts: Facts


def wrap(design: Design, image: Port, result: Port, board: OpenBoard, mhz: float, digest: bytes) -> Wrapped:
    """`design` with its ends on a board at the clock nearest to `mhz`; `digest` is the network's.

    Raises `HwError` for a clock out of the PLL's range.
    """
    clock = pll(board.pll, board.clock["mhz"], mhz)
    coded, made = image.tensor.format, result.tensor.format
    sizes = image.shape.size * code_bytes(coded), result.shape.size * code_bytes(made)
    facts = Facts(*sizes, round(clock.mhz * 1000), digest[:8])
    divisor = round(clock.mhz * 1e6 / BAUD)
    top = f"{design.top}_board"
    text = TOP.format(
        top=top, name=design.top, board=board.name, mhz=clock.mhz, pll=clock.text, pins=_pins(board), leds=_leds(board),
        in_lanes=image.beat, in_bits=coded.bits, out_lanes=result.beat, in_data=image.bits, out_data=result.bits,
        out_bits=made.bits, out_signed=int(made.signed), image=facts.image,
        result=facts.result, info=len(facts.packed()), facts=_constant(facts.packed()), hash=_constant(digest[:4]),
        divisor=divisor,
    )  # fmt: skip
    sources = {**design.sources, **library(), f"{top}.sv": text}
    return Wrapped(Design(top, sources, design.memories, design.family), board, clock.mhz, divisor, facts)


def library() -> dict[str, str]:
    """The hand-written modules around a network, by file name."""
    folder = files("crq.hw.rtl.board") / "lib"
    return {f.name: f.read_text() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sv")}


def _constant(data: bytes) -> str:
    """The first byte lowest."""
    return f"{8 * len(data)}'h{data[::-1].hex()}"


def _pins(board: OpenBoard) -> str:
    ports = [f"output logic [{len(board.leds) - 1}:0] led"] if board.leds else []
    return "".join(f",\n    {port}" for port in [*ports, *(f"output logic {name}" for name in board.high)])


def _leds(board: OpenBoard) -> str:
    shown = [LEDS[i] if i < len(LEDS) else "1'b0" for i in range(len(board.leds))]
    text = f"  assign led = {'~' if board.leds_low else ''}{{{', '.join(reversed(shown))}}};\n" if shown else ""
    return text + "".join(f"  assign {name} = 1'b1;\n" for name in board.high)


TOP = """// {name} on {board}: {mhz:g} MHz, images in and integers out over a serial line.
module {top} (
    input logic clk_in,
    input logic rx,
    output logic tx{pins}
);
  wire clk, locked, rst, network_rst, busy, failed;
{pll}  wire running = !rst;
{leds}  crq_reset u_reset (.clk(clk), .locked(locked), .rst(rst));
  wire image_valid, image_ready, result_valid, result_ready;
  wire [7:0] image_data, result_data;
  crq_serial #(
      .IMAGE({image}), .RESULT({result}), .INFO({info}), .FACTS({facts}), .HASH({hash}), .DIVISOR(16'd{divisor})
  ) u_serial (
      .clk(clk), .rst(rst), .rx(rx), .tx(tx), .network_rst(network_rst), .image_valid(image_valid),
      .image_ready(image_ready), .image_data(image_data), .result_valid(result_valid), .result_ready(result_ready),
      .result_data(result_data), .busy(busy), .failed(failed)
  );
  wire in_valid, in_ready, out_valid, out_ready;
  wire [{in_data}-1:0] in_data;
  wire [{out_data}-1:0] out_data;
  crq_from_bytes #(.LANES({in_lanes}), .BITS({in_bits})) u_from_bytes (
      .clk(clk), .rst(network_rst), .in_valid(image_valid), .in_ready(image_ready), .in_data(image_data),
      .out_valid(in_valid), .out_ready(in_ready), .out_data(in_data)
  );
  {name} u_network (
      .clk(clk), .rst(network_rst), .in0_valid(in_valid), .in0_ready(in_ready), .in0_data(in_data),
      .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data)
  );
  crq_to_bytes #(.LANES({out_lanes}), .BITS({out_bits}), .SIGNED({out_signed})) u_to_bytes (
      .clk(clk), .rst(network_rst), .in_valid(out_valid), .in_ready(out_ready), .in_data(out_data),
      .out_valid(result_valid), .out_ready(result_ready), .out_data(result_data)
  );
endmodule
"""

"""An AXI4-Stream top with TLAST around the top function (firmware/NAME_axi.cpp)."""

from __future__ import annotations

from hw.hls.plan import Plan, Stream
from hw.hls.render import render

MAX_BUS_BITS = 4096  # of an AXI4-Stream TDATA that DMAs and switches take


def bus_bits(stream: Stream) -> int:
    """Bits of TDATA: all channels of a pixel, whole bytes."""
    return -(-stream.shape.c * stream.tensor.format.bits // 8) * 8


def has_axi_top(plan: Plan) -> bool:
    return plan.io_type == "io_stream" and max(bus_bits(plan.input), bus_bits(plan.output)) <= MAX_BUS_BITS


def axi_cpp(plan: Plan, name: str) -> str:
    """Words in, words out, channel 0 in the low bits; TLAST ends each image's result."""
    x, y = plan.input, plan.output
    return render(
        "axi.cpp", name=name, x=x.shape, y=y.shape, x_bits=x.tensor.format.bits, y_bits=y.tensor.format.bits,
        x_bus=bus_bits(x), y_bus=bus_bits(y),
    )  # fmt: skip

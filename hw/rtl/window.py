"""The sliding window in front of a unit."""

from __future__ import annotations

from hw.dataflow.memory import BRAM_BITS
from hw.dataflow.windows import Window
from hw.rtl.verilog import instance


def window_instance(slide: Window, bits: int, pad_value: str, source: str) -> str:
    """A crq_window that reads stream `source`; declares `window`."""
    parameters = {
        "CHANNELS": slide.image.c, "BITS": bits, "HEIGHT": slide.image.h, "WIDTH": slide.image.w,
        "SPAN_H": slide.span[0], "SPAN_W": slide.span[1], "STRIDE_H": slide.stride[0], "STRIDE_W": slide.stride[1],
        "PAD_TOP": slide.pads.top, "PAD_LEFT": slide.pads.left, "PAD_BOTTOM": slide.pads.bottom,
        "PAD_RIGHT": slide.pads.right, "PAD_VALUE": f"{bits}'d{pad_value}",
        "BLOCK": int(slide.line_bits(bits) >= BRAM_BITS),
    }  # fmt: skip
    ports = {
        "clk": "clk", "rst": "rst", "en": "en", "in_valid": f"{source}_valid", "in_ready": f"{source}_ready",
        "in_data": f"{source}_data", "active": "active", "last": "last", "window": "window",
    }  # fmt: skip
    text = f"  wire [{slide.elements * bits - 1}:0] window;\n"
    return text + instance("crq_window", "lines", parameters, ports) + "  wire unused_window = &window;\n"

"""The sliding window in front of a unit: in registers, or in a ring of rows."""

from __future__ import annotations

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.rings import in_block, ring
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.dataflow.windows import Window
from crq.hw.rtl.verilog import instance


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


def ring_instance(unit: Unit, fold: Fold, bits: int, pad_value: str = "0") -> str:
    """A crq_ring that reads stream in0 in words of `bits`, behind a crq_decimate if the unit skips pixels.

    Its ports `en`, `valid`, `first`, `last`, `address` and `x` are wires of these names.
    """
    found, source, text = ring(unit, fold), "in0", ""
    slide = found.slide
    if found.decimated:
        image, strides = found.decimated.image, found.decimated.stride
        text += f"  wire kept_valid, kept_ready;\n  wire [{bits - 1}:0] kept_data;\n"
        dropped = {"WIDTH": bits, "WORDS": found.words, "HEIGHT": image.h, "COLUMNS": image.w,
                   "STRIDE_H": strides[0], "STRIDE_W": strides[1]}  # fmt: skip
        ports = {f"in_{p}": f"in0_{p}" for p in ("valid", "ready", "data")}
        ports |= {f"out_{p}": f"kept_{p}" for p in ("valid", "ready", "data")}
        text += instance("crq_decimate", "decimate", dropped, {"clk": "clk", "rst": "rst", **ports})
        source = "kept"
    parameters: dict[str, object] = {
        "BITS": bits, "WORDS": found.words, "GROUPS": found.groups, "BLOCKS": found.blocks,
        "HEIGHT": slide.image.h, "WIDTH": slide.image.w, "KERNEL_H": slide.kernel[0], "KERNEL_W": slide.kernel[1],
        "STRIDE_H": slide.stride[0], "STRIDE_W": slide.stride[1], "DILATION_H": slide.dilation[0],
        "DILATION_W": slide.dilation[1], "PAD_TOP": slide.pads.top, "PAD_LEFT": slide.pads.left,
        "OUT_H": slide.output.h, "OUT_W": slide.output.w, "RB": clog2(found.rows),
        "BLOCK": int(in_block(unit, fold)), "PAD_VALUE": f"{bits}'h{pad_value}",
    }  # fmt: skip
    ports = {"clk": "clk", "rst": "rst", "en": "en", "step": "address", "valid": "valid", "first": "first",
             "last": "last", "q": "x"}  # fmt: skip
    ports |= {f"in_{p}": f"{source}_{p}" for p in ("valid", "ready", "data")}
    return text + instance("crq_ring", "window", parameters, ports)

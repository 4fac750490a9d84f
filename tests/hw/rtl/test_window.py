"""The window over a stream: every position, padded and strided as NumPy slides it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hw.dataflow.memory import BRAM_BITS
from hw.dataflow.windows import Window
from hw.ir.layers import Format, Pads, Shape
from hw.rtl.verilator import beats, run
from hw.rtl.verilog import Design, library, module
from hw.rtl.window import window_instance

SLIDE = Window(Shape(2, 5, 4), Shape(2, 3, 4), (3, 2), (2, 1), pads=Pads(1, 0, 1, 1))

# Each window is one beat: its last step runs as soon as it is there.
BODY = """  wire en = out_ready || !active;
  wire active, last;
  assign last = 1'b1;
  assign out_valid = active;
  assign out_data = window;
"""


def parameters(slide: Window, bits: int, fill: str = "0") -> dict[str, str]:
    text = window_instance(slide, bits, fill, "in0")
    return dict(re.findall(r"\.([A-Z_]+)\(([^()]+)\)", text))


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_windows_are_those_of_the_padded_image(tmp_path: Path) -> None:
    """Lines as in block RAM; two images back to back, a reader that hesitates, pads of 9."""
    body = BODY + window_instance(SLIDE, 4, "9", "in0").replace(".BLOCK(0)", ".BLOCK(1)")
    assert ".BLOCK(1)" in body
    top = module("windows", {"in0": 8}, SLIDE.elements * 4, body, "windows")
    design = Design("windows", {**library(), "windows.sv": top})
    images = np.random.default_rng(0).integers(0, 16, (2, 2, 5, 4))
    count = 2 * 3 * 4
    found = run(
        design, tmp_path, [(beats(images), Format(4, False))], Format(4, False), SLIDE.elements, count, stall=True
    )
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (0, 1)), constant_values=9)
    expected = [
        [padded[n, c, 2 * y + ky, x + kx] for ky in range(3) for kx in range(2) for c in range(2)]
        for n, y, x in np.ndindex(2, 3, 4)
    ]
    np.testing.assert_array_equal(found.values, expected)


def test_parameters_are_the_geometry_of_the_window() -> None:
    found = parameters(SLIDE, 4, "9")
    expected = {
        "CHANNELS": 2, "BITS": 4, "HEIGHT": 5, "WIDTH": 4, "SPAN_H": 3, "SPAN_W": 2, "STRIDE_H": 2, "STRIDE_W": 1,
        "PAD_TOP": 1, "PAD_LEFT": 0, "PAD_BOTTOM": 1, "PAD_RIGHT": 1, "PAD_VALUE": "4'd9", "BLOCK": 0,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == {key: str(value) for key, value in expected.items()}


def test_a_dilated_kernel_spans_its_gaps() -> None:
    slide = Window(Shape(1, 9, 9), Shape(1, 5, 3), (3, 3), dilation=(2, 3))
    found = parameters(slide, 2)
    assert (found["SPAN_H"], found["SPAN_W"]) == ("5", "7")
    assert f"wire [{5 * 7 * 2 - 1}:0] window;" in window_instance(slide, 2, "0", "in0")


@pytest.mark.parametrize(("width", "block"), [(BRAM_BITS // 16 - 1, "0"), (BRAM_BITS // 16, "1")])
def test_long_lines_lie_in_block_ram(width: int, block: str) -> None:
    """Two rows of 8 bits a pixel above the one that arrives."""
    slide = Window(Shape(1, 8, width), Shape(1, 6, width), (3, 1))
    assert parameters(slide, 8)["BLOCK"] == block

"""The window over a stream: every position, padded and strided as NumPy slides it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.dataflow.windows import Window
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format, Pads, Shape
from crq.hw.rtl.verilator import beats, run
from crq.hw.rtl.verilog import Design, library, module
from crq.hw.rtl.window import ring_instance, window_instance
from tests.support.random_graphs import GraphBuilder

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
    top = module("windows", {"in0": 8}, {"out": SLIDE.elements * 4}, body, "windows")
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


# Every word of the ring is a beat, behind its place in the window: whether it is the first or the last of a block.
RING = """  wire valid, first, last;
  wire [{top}:0] address;
  wire [3:0] x;
  wire en = out_ready || !valid;
  assign out_valid = valid;
  assign out_data = {{2'b0, first, last, x}};
  wire unused = &address;
"""


def unit_of(kernel: tuple[int, int], **options: Any) -> Unit:
    g = GraphBuilder((4, 5, 4), "UINT4")
    return units(Network(g.finish(g.conv("x", 4, kernel, **options))))[-1]


@pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")
def test_words_of_a_ring_are_the_taps_of_the_window_again_for_every_block(tmp_path: Path) -> None:
    """In block RAM; two groups of two blocks; gaps between the taps; two images, a reader that hesitates, pads of 9."""
    unit = unit_of((2, 2), strides=(2, 1), pads=(1, 0, 2, 1), dilations=(2, 2), group=2)
    text = ring_instance(unit, Fold(1, 1, form=FOLDED), 4, "9").replace(".BLOCK(0)", ".BLOCK(1)")
    assert ".BLOCK(1)" in text
    body = RING.format(top=(2 * 2 * 4 * 2 - 1).bit_length() - 1) + text
    design = Design("words", {**library(), "words.sv": module("words", {"in0": 4}, {"out": 8}, body, "words")})
    images = np.random.default_rng(0).integers(0, 16, (2, 4, 5, 4))
    h, w = unit.output.shape.h, unit.output.shape.w
    padded = np.pad(images, ((0, 0), (0, 0), (1, 2), (0, 1)), constant_values=9)
    expected = [
        (32 * ((ky, kx, c) == (0, 0, 0)) + 16 * ((ky, kx, c) == (1, 1, 1)))
        + padded[n, 2 * group + c, 2 * y + 2 * ky, x + 2 * kx]
        for n, y, x, group, _, ky, kx, c in np.ndindex(2, h, w, 2, 2, 2, 2, 2)
    ]
    found = run(
        design, tmp_path, [(beats(images, 1), Format(4, False))], Format(8, False), 1, len(expected), stall=True
    )
    np.testing.assert_array_equal(found.values[:, 0], expected)


def ring_parameters(unit: Unit, fold: Fold, bits: int = 4) -> dict[str, str]:
    return dict(re.findall(r"\.([A-Z_]+)\(([^()]+)\)", ring_instance(unit, fold, bits)))


def test_parameters_of_a_ring_are_the_geometry_of_the_window() -> None:
    unit = unit_of((3, 2), strides=(2, 1), pads=(1, 0, 1, 1), dilations=(1, 2))
    found = ring_parameters(unit, Fold(2, 2, form=FOLDED), 8)
    expected = {
        "BITS": 8, "WORDS": 2, "GROUPS": 1, "BLOCKS": 2, "HEIGHT": 5, "WIDTH": 4, "KERNEL_H": 3, "KERNEL_W": 2,
        "STRIDE_H": 2, "STRIDE_W": 1, "DILATION_H": 1, "DILATION_W": 2, "PAD_TOP": 1, "PAD_LEFT": 0,
        "OUT_H": unit.output.shape.h, "OUT_W": unit.output.shape.w, "RB": 3, "BLOCK": 0, "PAD_VALUE": "8'h0",
    }  # fmt: skip
    assert {key: found[key] for key in expected} == {key: str(value) for key, value in expected.items()}


def test_pixels_that_are_skipped_do_not_enter_the_ring() -> None:
    text = ring_instance(unit_of((1, 1), strides=(2, 2)), Fold(4, 2, form=FOLDED), 8)
    [found] = re.findall(r"crq_decimate #\((.*?)\) u_", text)
    assert found == ".WIDTH(8), .WORDS(2), .HEIGHT(5), .COLUMNS(4), .STRIDE_H(2), .STRIDE_W(2)"
    assert "crq_decimate" not in ring_instance(unit_of((1, 1)), Fold(4, 2, form=FOLDED), 8)


@pytest.mark.parametrize(("width", "block"), [(32, "0"), (64, "1")])
def test_a_large_ring_lies_in_block_ram(width: int, block: str) -> None:
    """Four rows of pixels of 32 bits."""
    g = GraphBuilder((4, 5, width), "UINT8")
    [unit] = units(Network(g.finish(g.conv("x", 4, (3, 3)))))
    assert unit.inputs[0].format.bits * 4 * 4 * 64 == BRAM_BITS
    assert ring_parameters(unit, Fold(1, 4, form=FOLDED), 32)["BLOCK"] == block

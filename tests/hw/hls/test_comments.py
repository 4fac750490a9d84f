"""The comment above each layer: golden texts, and every number in them."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.comments import describe
from crq.hw.hls.plan import Process, make_plan
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


def process_of(g: GraphBuilder, output: str, fold: Fold | None = None) -> Process:
    """The last process."""
    network = Network(g.finish(output))
    folds = {u.name: Fold(1, 1) for u in units(network)}
    last = list(folds)[-1]
    return make_plan(network, "io_stream", {**folds, last: fold or folds[last]}).processes[-1]


def title(g: GraphBuilder, output: str) -> str:
    return describe(process_of(g, output), True).splitlines()[0]


def test_a_folded_convolution_with_thresholds() -> None:
    """Per channel 6 weights +1 and 3 of -1 on codes in [0, 15]: every sum lies in [-45, 90]. Of 36 positions of the
    padded image 16 complete a window and take 6 cycles: 20 + 96."""
    weights = np.array([1, 1, 1, -1, -1, -1, 1, 1, 1]).reshape(1, 1, 3, 3).repeat(2, 0)
    g = GraphBuilder((1, 4, 4), "UINT4")
    sums = g.conv("x", 2, pads=(1, 1, 1, 1), weights=weights)
    table = np.array([[-10, 0, 10], [-5, 5, 15]])
    text = describe(process_of(g, g.threshold(sums, 2, table=table), Fold(1, 3)), True)
    assert (
        text
        == """\
// conv1: 3x3 convolution (stride 1, pads top 1 left 1 bottom 1 right 1), 4x4x1 to 4x4x2
//   weights      18 ternary, 0 zero (0.0%), in LUTs
//   folding      PE 1 of 2 channels, SIMD 3 of 9 products
//   cycles       6 per output pixel, 116 per image
//   input        uint4 in [0, 15]
//   accumulator  int8: the weights bound every sum to [-45, 90]
//   thresholds   3 per channel, codes from 0, searched lane by lane
//   output       uint2 in [0, 3], 1 of 2 channels per beat"""
    )


def test_an_unrolled_project_says_nothing_of_folding_or_memory() -> None:
    g = GraphBuilder((4,), "INT4")
    text = describe(process_of(g, g.matmul("x", 2, weights=np.array([[1, 0], [0, 0], [-1, 1], [0, 1]]))), False)
    assert (
        text
        == """\
// fc1: dense, 4 to 2
//   weights      8 ternary, 4 zero (50.0%)
//   sums         2 adders, 0 of them of three operands, on 1 levels
//   input        int4 in [-8, 7]
//   accumulator  int5: the weights bound every sum to [-16, 15]
//   output       int5 in [-16, 15]"""
    )


def test_weights_that_multiply_are_called_so_and_their_place_is_told() -> None:
    g = GraphBuilder((64,), "UINT4")
    h = g.matmul("x", 64, "INT4")
    assert "4096 INT4 (not multiplier-free)" in describe(process_of(g, h), True)
    assert ", in block RAM" in describe(process_of(g, h), True)
    assert ", in LUTs" in describe(process_of(g, h, Fold(1, 1, "lut")), True)
    unrolled = describe(process_of(g, h, Fold(64, 64)), True)
    assert "in LUTs" not in unrolled
    assert "block RAM" not in unrolled


def test_a_copy_names_its_source_and_readers() -> None:
    g = GraphBuilder((2, 3, 3), "UINT4")
    network = Network(g.finish(g.add("x", "x")))
    copy = make_plan(network, "io_stream", {"add1": Fold(1)}).processes[0]
    assert describe(copy, True) == "// copy_input: copies input for its 2 readers."


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kernel": (1, 1)}, "1x1 convolution (stride 1)"),
        ({"kernel": (3, 2), "strides": (2, 1)}, "3x2 convolution (stride 2x1)"),
        ({"kernel": (3, 3), "dilations": (2, 2), "group": 2}, "3x3 convolution (stride 1, dilation 2, 2 groups)"),
        ({"kernel": (3, 3), "group": 4}, "3x3 convolution (stride 1, depthwise)"),
        ({"kernel": (2, 2), "pads": (0, 1, 0, 0)}, "2x2 convolution (stride 1, pads top 0 left 1 bottom 0 right 0)"),
    ],
)
def test_convolutions_by_what_is_special_about_them(options: dict, expected: str) -> None:
    g = GraphBuilder((4, 6, 6), "UINT4", seed=1)
    assert f": {expected}, 6x6x4 to " in title(g, g.conv("x", 4, **options))


def test_other_layers_by_their_names() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    assert title(g, g.sum_pool("x", (2, 2))) == "// conv1: 2x2 sum pool (stride 2), 4x4x2 to 2x2x2"
    assert title(g, g.max_pool("x", (2, 2), (1, 2))) == "// pool2: 2x2 max pool (stride 1x2), 4x4x2 to 3x2x2"
    assert title(g, g.global_sum("x")) == "// gsum3: global sum, 4x4x2 to 2"
    assert title(g, g.concat("x", "x")) == "// concat4: concat, 4x4x2 to 4x4x4"
    assert title(g, g.shift("x", 2)) == "// shift5: shift, 4x4x2 to 4x4x2"
    assert title(g, g.negate("x")) == "// neg6: negate, 4x4x2 to 4x4x2"
    assert title(g, g.bias("x")) == "// bias7: bias, 4x4x2 to 4x4x2"
    assert title(g, g.add("x", "x")) == "// add8: add, 4x4x2 to 4x4x2"
    assert title(g, g.threshold("shift5_out", 2)) == "// act9: threshold, 4x4x2 to 4x4x2"


def test_every_input_has_its_line() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    text = describe(process_of(g, g.add(g.shift("x", 2), "x"), Fold(2)), True)
    inputs = [line for line in text.splitlines() if line.startswith("//   input")]
    assert inputs == ["//   input        uint6 in [0, 60]", "//   input        uint4 in [0, 15]"]
    assert "output       uint7 in [0, 75]" in text
    assert "cycles       1 per output pixel, 32 per image" in text  # two beats of the shift are joined to one


def test_a_concatenation_takes_a_cycle_per_pixel() -> None:
    g = GraphBuilder((2, 4, 4), "UINT4")
    concat = g.concat("x", "x")
    assert "cycles       1 per output pixel, 16 per image" in describe(process_of(g, concat, Fold(4)), True)
    assert "cycles       4 per output pixel, 64 per image" in describe(process_of(g, concat, Fold(1)), True)


def test_a_folded_form_names_its_memory_and_its_beats() -> None:
    g = GraphBuilder((4, 8, 8), "UINT4")
    text = describe(process_of(g, g.conv("x", 6, pads=(1, 1, 1, 1)), Fold(3, 2, form="folded")), True)
    assert "PE 3 of 6 channels, SIMD 2 of 36 products; folded: 4 rows of 16 words in one memory" in text
    assert "uint4 in [0, 15], 2 of 4 channels per beat" in text


def test_what_lies_between_units_says_what_it_does() -> None:
    g = GraphBuilder((4, 8, 8), "UINT4")
    network = Network(g.finish(g.conv(g.bias("x"), 6, (1, 1), (2, 2))))
    plan = make_plan(network, "io_stream", {"bias1": Fold(4), "conv2": Fold(3, 2, form="folded")})
    assert [describe(p, True) for p in plan.processes if p.unit is None] == [
        "// conv2_beats1: beats of 4 channels of bias1_out become beats of 2.",
        "// conv2_pixels: of conv2_beats1_out every row and column 2 apart; the others are dropped.",
    ]


def test_codes_along_a_progression_are_named() -> None:
    g = GraphBuilder((16, 4, 4), "UINT8")
    table = (np.arange(1, 256)[None] * 13 - 1700 + np.arange(8)[:, None]).repeat(2, 0)
    process = process_of(g, g.threshold(g.conv("x", 16), 8, table=table), Fold(1, 4))
    assert "255 per channel, codes from 0, along a progression" in describe(process, True)

"""The comment above a module."""

from __future__ import annotations

from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.comments import describe, describe_unrolled
from tests.support.random_graphs import GraphBuilder


def test_a_folded_layer_says_where_its_window_lies_and_what_it_takes() -> None:
    g = GraphBuilder((4, 8, 8), "UINT4", seed=1)
    unit = units(Network(g.finish(g.threshold(g.conv("x", 6), 3))))[0]
    lines = describe(unit, Fold(2, 4, form=FOLDED), "unit_conv1", "xcup").splitlines()
    assert lines[0] == "// unit_conv1: 3x3 convolution (stride 1), 8x8x4 to 6x6x6"
    assert (
        "//   folding      PE 2 of 6 channels, SIMD 4 of 36 products; folded: 4 rows of 8 words in one memory" in lines
    )
    assert "//   cycles       27 per output pixel, 988 per image" in lines
    assert lines[-1].endswith("[0, 7], 2 of 6 channels per beat")
    assert all(line.startswith("//") for line in lines)


def test_an_unrolled_layer_has_a_graph_and_no_cycles() -> None:
    g = GraphBuilder((4,), "UINT4", seed=1)
    unit = units(Network(g.finish(g.matmul("x", 3))))[0]
    text = describe_unrolled(unit, "unit_fc1", "ecp5")
    assert "//   sums         " in text
    assert "0 of them of three operands" in text
    assert "cycles" not in text

"""What both forms say of a layer; the texts of each are in their own tests."""

from __future__ import annotations

from crq.hw.dataflow.units import Fold, units
from crq.hw.forms.comments import TITLES, Described, comment, pair, title
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import KINDS, Flatten
from tests.support.random_graphs import GraphBuilder


def test_every_kind_of_unit_has_a_title() -> None:
    assert set(TITLES) == {*KINDS} - {Flatten}


def test_without_steps_nothing_is_said_of_folding_and_beats() -> None:
    g = GraphBuilder((4, 3, 3), "UINT4", seed=1)
    unit = units(Network(g.finish(g.conv("x", 2))))[0]
    text = comment(Described("layer", unit, Fold(2, 36), 3, unit.sources))
    assert title(unit.layer) == "3x3 convolution (stride 1)"
    assert text.startswith("// layer: 3x3 convolution (stride 1), 3x3x4 to 2\n//   weights      72 ternary, ")
    assert "folding" not in text
    assert "beat" not in text
    folded = comment(Described("layer", unit, Fold(1, 4), 3, unit.sources, (4, 1), 18, 18, "two rows"))
    assert "//   folding      PE 1 of 2 channels, SIMD 4 of 36 products; two rows\n" in folded
    assert "//   cycles       18 per output pixel, 18 per image\n" in folded
    assert folded.endswith(", 1 of 2 channels per beat")


def test_equal_numbers_are_told_once() -> None:
    assert (pair((2, 2)), pair((1, 2))) == ("2", "1x2")

"""The one rule for block RAM or LUTs."""

from __future__ import annotations

import numpy as np
import pytest

from hw.dataflow.memory import in_bram, weight_bits, weights_in_bram
from hw.dataflow.units import FOLDED, Fold
from hw.ir.graph import Network
from hw.ir.layers import Mac
from tests.support.random_graphs import GraphBuilder


def dense(inputs: int, outputs: int, weight_type: str = "TERNARY") -> Mac:
    g = GraphBuilder((inputs,), "UINT4")
    weights = np.ones((inputs, outputs), np.int64)
    layer = Network(g.finish(g.matmul("x", outputs, weight_type, weights)))["fc1"]
    assert isinstance(layer, Mac)
    return layer


def test_8192_bits_are_worth_a_block() -> None:
    assert [in_bram(bits) for bits in (1, 8191, 8192, 8193)] == [False, False, True, True]


def test_a_style_decides_whatever_the_size() -> None:
    assert in_bram(1, "bram")
    assert not in_bram(1 << 20, "lut")


@pytest.mark.parametrize(
    ("weight_type", "bits"), [("TERNARY", 2), ("BIPOLAR", 2), ("INT2", 2), ("INT3", 3), ("INT8", 8), ("UINT4", 4)]
)
def test_bits_of_a_weight(weight_type: str, bits: int) -> None:
    assert weight_bits(dense(2, 2, weight_type)) == bits


@pytest.mark.parametrize(
    ("weight_type", "inputs", "block"),
    [("TERNARY", 63, False), ("TERNARY", 64, True), ("INT4", 31, False), ("INT4", 32, True), ("INT8", 16, True)],
)
def test_weights_lie_where_all_their_bits_together_belong(weight_type: str, inputs: int, block: bool) -> None:
    """64 outputs: 128 bits per input and bit pair. How they are folded is no matter."""
    layer = dense(inputs, 64, weight_type)
    assert all(weights_in_bram(layer, fold) == block for fold in (Fold(1, 1), Fold(64, 1), Fold(2, 1, form=FOLDED)))


def test_the_style_of_a_folding_decides() -> None:
    small, large = dense(2, 2), dense(128, 128)
    assert weights_in_bram(small, Fold(1, 1, "bram"))
    assert not weights_in_bram(large, Fold(1, 1, "lut"))

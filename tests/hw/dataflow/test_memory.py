"""The one rule for block RAM or LUTs."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.cost.primitives import memory
from crq.hw.cost.streams import fifo
from crq.hw.dataflow.memory import in_bram, rounded, stored, weight_bits, weights_in_bram
from crq.hw.dataflow.units import FOLDED, Fold
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from tests.support.random_graphs import GraphBuilder


def dense(inputs: int, outputs: int, weight_type: str = "TERNARY") -> Mac:
    g = GraphBuilder((inputs,), "UINT4")
    weights = np.ones((inputs, outputs), np.int64)
    layer = Network(g.finish(g.matmul("x", outputs, weight_type, weights)))["fc1"]
    assert isinstance(layer, Mac)
    return layer


def test_8192_bits_are_worth_a_block() -> None:
    assert [in_bram(bits) for bits in (1, 8191, 8192, 8193)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("depth", "width", "expected"),
    [
        (2, 8, 2), (3, 8, 4), (17, 8, 32), (33, 8, 64), (64, 8, 64), (73, 8, 128), (192, 8, 192), (193, 8, 256),
        (257, 8, 257), (449, 8, 512), (1000, 8, 1000), (1537, 8, 2048), (1500, 8, 1500),
    ],
)  # fmt: skip
def test_a_depth_is_rounded_where_that_takes_no_memory_and_no_block(depth: int, width: int, expected: int) -> None:
    assert rounded(depth, width) == expected
    ours, theirs = memory(expected, width), memory(depth, width)
    assert (ours.lutram, ours.bram18) == (theirs.lutram, theirs.bram18)
    assert fifo(expected, width).lut <= fifo(depth, width).lut


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


def test_rows_that_are_alike_are_stored_once() -> None:
    rows = np.array([[1, 2], [1, 2], [1, 2]])
    assert stored(rows).tolist() == [[1, 2]]
    rows[2, 0] = 3
    assert np.array_equal(stored(rows), rows)

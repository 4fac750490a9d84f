"""The price of adder graphs: LUTs by hand for each kind of adder, FFs by the stages."""

from __future__ import annotations

import numpy as np
import pytest

from hw.cost.graphs import graph_price, rough_price
from hw.cost.resources import Resources
from hw.graphs import solve
from hw.graphs.layer import OPERANDS, layer_graph
from hw.graphs.stages import staged
from hw.ir.graph import Network
from hw.ir.layers import Mac
from tests.hw.graphs.test_solve import ternary
from tests.support.random_graphs import GraphBuilder


def price(matrix: list[list[int]], ranges: list[tuple[int, int]], operands: int, family: str = "xcup") -> Resources:
    return graph_price(staged(solve(np.array(matrix), ranges, operands=operands), 1), family)


@pytest.mark.parametrize(
    ("ranges", "weights", "operands", "luts", "bits"),
    [
        ([(0, 15), (0, 15)], [1, 1], 2, 4, 5),  # the carry out is the fifth bit
        ([(0, 15), (0, 3)], [1, 1], 2, 5, 5),
        ([(-8, 7), (-8, 7)], [1, -1], 2, 4, 5),
        ([(0, 15)] * 3, [1, 1, 1], 3, 5, 6),
        ([(0, 15)] * 3, [1, 1, -1], 3, 5, 6),
        ([(0, 1)] * 3, [1, 1, 1], 3, 2, 2),
    ],
)
def test_one_adder(ranges: list[tuple[int, int]], weights: list[int], operands: int, luts: int, bits: int) -> None:
    assert price([weights], ranges, operands) == Resources(logic=luts, ff=bits)


def test_a_negated_output_is_inverted() -> None:
    """The sum of two is made once: its opposite takes a LUT per bit."""
    ranges = [(0, 15), (0, 15)]
    assert price([[1, 1], [-1, -1]], ranges, 2).logic == price([[1, 1]], ranges, 2).logic + 5


def test_adders_of_ecp5_take_luts_in_pairs() -> None:
    assert price([[1, 1]], [(0, 15), (0, 15)], 2, "ecp5").logic == 6


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
@pytest.mark.parametrize(("inputs", "outputs", "dtype"), [(36, 16, "UINT4"), (72, 16, "INT8"), (144, 32, "UINT2")])
def test_the_rough_price_is_near(inputs: int, outputs: int, dtype: str, family: str) -> None:
    g = GraphBuilder((inputs, 1, 1), dtype)
    network = Network(g.finish(g.matmul(g.flatten("x"), outputs, weights=ternary(0, outputs, inputs).T)))
    mac = next(layer for layer in network if isinstance(layer, Mac))
    exact = graph_price(staged(layer_graph(mac, OPERANDS[family]), 3), family)
    rough = rough_price(mac, family)
    assert 0.75 < rough.logic / exact.logic < 1.35
    assert 0.5 < rough.ff / exact.ff < 2

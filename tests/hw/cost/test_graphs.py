"""The price of adder graphs: LUTs by hand for each kind of adder, FFs by the stages."""

from __future__ import annotations

import numpy as np
import pytest

from hw.cost.graphs import graph_price
from hw.cost.resources import Resources
from hw.graphs import solve
from hw.graphs.stages import staged


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

"""Folded lanes, as Yosys maps them."""

from __future__ import annotations

import pytest

from crq.hw.cost.lanes import folded_lane, paired
from crq.hw.cost.resources import Resources


@pytest.mark.parametrize(
    ("simd", "bits", "accumulator", "xcup", "ecp5_ff"),
    [(2, 4, 8, (12, 8), 8), (3, 4, 9, (17, 18), 15), (8, 2, 8, (19, 16), 16), (9, 4, 11, (43, 35), 35),
     (16, 8, 15, (108, 78), 67), (18, 4, 12, (70, 42), 54), (36, 8, 17, (237, 135), 155)],
)  # fmt: skip
def test_a_folded_lane_as_yosys_maps_it(simd: int, bits: int, accumulator: int, xcup: tuple[int, int],
                                        ecp5_ff: int) -> None:  # fmt: skip
    """Yosys 0.70, start at zero; every point of SIMD (2, 3, 4, 8, 9, 16, 18, 36) and 2, 4, 8 bits was met exactly."""
    logic, ff = xcup
    for family in ("xcup", "xc7"):
        price = folded_lane(simd, 1, bits, accumulator, single=False, zero=True, family=family)
        assert price == Resources(logic=logic, ff=ff)
    assert folded_lane(simd, 1, bits, accumulator, single=False, zero=True, family="ecp5").ff == ecp5_ff


@pytest.mark.parametrize(
    ("simd", "digits", "accumulator", "logic", "ff"),
    [(2, 2, 10, 20, 10), (9, 2, 12, 110, 40), (4, 3, 12, 76, 26), (9, 4, 15, 205, 67), (2, 8, 16, 86, 34),
     (9, 8, 19, 428, 136)],
)  # fmt: skip
def test_a_folded_lane_of_integer_weights_is_near_what_yosys_maps(
    simd: int, digits: int, accumulator: int, logic: int, ff: int
) -> None:
    price = folded_lane(simd, digits, 4, accumulator, single=False, zero=True)
    assert price.logic == pytest.approx(logic, rel=0.1)
    assert price.ff == pytest.approx(ff, rel=0.1)


def test_a_start_value_costs_where_the_accumulator_adds_two_terms() -> None:
    """Nine products end in one term, four in two."""
    assert folded_lane(9, 1, 4, 11, single=False, zero=False) == folded_lane(9, 1, 4, 11, single=False, zero=True)
    two = folded_lane(4, 1, 4, 9, single=False, zero=True)
    assert folded_lane(4, 1, 4, 9, single=False, zero=False) == two.plus(Resources(logic=9))


def test_one_chunk_needs_no_accumulator() -> None:
    assert folded_lane(2, 1, 4, 6, single=True, zero=True) == Resources(logic=4, ff=6)
    assert folded_lane(2, 1, 4, 6, single=True, zero=False) == Resources(logic=4 + 6, ff=6)


@pytest.mark.parametrize(
    ("simd", "bits", "accumulator", "single", "zero", "logic"),
    [(1, 4, 10, False, True, 14), (2, 8, 15, False, True, 34), (8, 4, 12, False, True, 72),
     (9, 4, 12, False, False, 96), (4, 4, 10, True, True, 26), (4, 1, 8, False, True, 17),
     (16, 2, 10, False, True, 116)],
)  # fmt: skip
def test_a_folded_lane_in_4_input_luts(
    simd: int, bits: int, accumulator: int, single: bool, zero: bool, logic: int
) -> None:
    """As Yosys 0.70 maps it: benchmarks/calibration/circuits.csv."""
    assert folded_lane(simd, 1, bits, accumulator, single=single, zero=zero, family="ecp5").logic == logic


def test_adders_of_ecp5_take_luts_in_pairs() -> None:
    assert [paired(bits) for bits in (3, 4, 5, 6, 7)] == [3, 10, 6, 6, 8]

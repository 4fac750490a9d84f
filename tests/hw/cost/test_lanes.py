"""Adder trees whose weights are constants, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.cost.lanes import SHIFTED_LUTS, constant_lanes, folded_lane, paired_tree, shifted_lanes
from hw.cost.resources import Resources
from hw.ir.layers import Format

U4, S4 = Format(4, False), Format(4, True)


def ternary(*channels: list[int]) -> np.ndarray:
    """(O, I, 1, 1, 1)."""
    return np.array(channels, np.int8)[:, :, None, None, None]


def digits(*channels: list[list[int]]) -> np.ndarray:
    """(O, I, 1, 1, digit), lowest digit first."""
    return np.array(channels, np.int8)[:, :, None, None, :]


@pytest.mark.parametrize(
    ("weights", "x", "logic", "ff"),
    [
        ([1, 1, 1, 1], U4, 5 + 5 + 6, 7),  # three adders; one register, at the end
        ([1, 1, 1, 1], S4, 4 + 4 + 5, 6),  # a signed code needs no bit for its sign
        ([1, -1, 1, -1], U4, 16, 7),  # each pair's adder takes the one complement
        ([-1, -1, 1, 1], U4, 16 + 5, 7),  # the second complement of a pair is LUTs of its own
        ([-1, -1, -1], U4, 5 + 6 + 5 + 5, 7),
        ([1], U4, 0, 5),
        ([0, 0], U4, 0, 5),
    ],
)
def test_one_channel_of_ternary_weights(weights: list[int], x: Format, logic: int, ff: int) -> None:
    assert constant_lanes(ternary(weights), x) == Resources(logic=logic, ff=ff)


@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=20), st.integers(0, 20), st.booleans())
def test_zero_weights_cost_nothing(weights: list[int], at: int, signed: bool) -> None:
    x = Format(3, signed)
    with_zero = [*weights[:at], 0, *weights[at:]]
    assert constant_lanes(ternary(with_zero), x) == constant_lanes(ternary(weights), x)


def test_a_shorter_channel_waits_for_the_longest() -> None:
    """Sixteen terms are registered twice, after two levels and four; one of two terms waits one register more."""
    long, short = [1] * 16, [1, 1] + [0] * 14
    alone = constant_lanes(ternary(long), U4)
    assert alone == Resources(logic=8 * 5 + 4 * 6 + 2 * 7 + 8, ff=4 * 7 + 9)
    assert constant_lanes(ternary(long, short), U4) == alone.plus(Resources(logic=5, ff=6 + 6))


def test_one_digit_is_a_ternary_weight_and_two_are_shifted() -> None:
    one = digits([[1], [-1], [1]])
    assert constant_lanes(one, U4) == constant_lanes(ternary([1, -1, 1]), U4)
    two = digits([[1, 0], [0, 1]])
    assert constant_lanes(two, U4).logic == SHIFTED_LUTS["xcup"] * shifted_lanes(two, U4).logic
    assert constant_lanes(two, U4).ff == shifted_lanes(two, U4).ff


def test_the_low_bits_of_the_less_shifted_term_pass_through_the_adder() -> None:
    """x + 4y: bits 2 to 6 are added, bits 0 and 1 are x's alone. The sum has eight bits, registered once."""
    assert shifted_lanes(digits([[1, 0, 0], [0, 0, 1]]), U4) == Resources(logic=5, ff=8)


def test_a_complemented_shifted_term_carries_from_below() -> None:
    """x - 4y: below 4·~y stand ones, so that the adder starts at bit 0."""
    assert shifted_lanes(digits([[1, 0, 0], [0, 0, -1]]), U4) == Resources(logic=7, ff=8)


def test_minus_x_plus_four_x_takes_no_inverter() -> None:
    assert shifted_lanes(digits([[-1, 0, 1]]), U4) == Resources(logic=5, ff=8)


def test_a_single_shifted_term_is_registered_once_without_its_constant_zeros() -> None:
    assert shifted_lanes(digits([[0, 0, 1]]), U4) == Resources(logic=0, ff=5)
    assert shifted_lanes(digits([[0, 0, -1]]), U4) == Resources(logic=4, ff=5)


def test_which_operand_is_shifted_further_is_no_matter() -> None:
    assert shifted_lanes(digits([[0, 0, 1], [1, 0, 0]]), U4) == Resources(logic=5, ff=8)


def test_a_tree_of_shifted_terms_narrows_its_adders_at_each_level() -> None:
    """x + 2y, 4z + 8w: five bits each, sums of bits 0 to 6 and 2 to 8; then bits 2 to 8. Registered at the end."""
    four = digits([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert shifted_lanes(four, U4) == Resources(logic=5 + 5 + 7, ff=10)
    three = digits([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    assert shifted_lanes(three, U4) == Resources(logic=5 + 5, ff=8)


def test_a_single_term_waits_for_the_registers_of_the_longest_channel() -> None:
    """Five terms are registered after two levels (7 and 5 bits) and at the end (8); the other's 5 bits twice."""
    five, one = [[1, 0]] * 5, [[1, 0]] + [[0, 0]] * 4
    assert shifted_lanes(digits(five, one), U4) == Resources(logic=5 + 5 + 6 + 7, ff=7 + 5 + 8 + 2 * 5)


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
    """Four terms of five bits: two sums of six, one of seven in eight LUTs."""
    assert paired_tree(4, 5) == 6 + 6 + 8
    found = constant_lanes(ternary([1, -1, 1, 1]), U4, "ecp5")
    assert found.logic == 6 + 6 + 8 + 4  # and the complement

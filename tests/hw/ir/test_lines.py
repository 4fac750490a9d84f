"""Lines through thresholds: found where there is one, in a time linear in the steps, and none elsewhere."""

from __future__ import annotations

import time
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.lines import joined, line

STEPS = np.arange(1, 1 << 16)


def clipped(row: list[int], lo: int, hi: int) -> np.ndarray:
    return np.clip(np.array(row, np.int64), lo, hi + 1)


def assert_is(found: object, row: np.ndarray, lo: int, hi: int, ties: bool = False) -> None:
    assert found is not None
    made = joined([found], len(row), ties)  # type: ignore[list-item]
    np.testing.assert_array_equal(np.clip(made.entries(0), lo, hi + 1), row)


@settings(deadline=None, max_examples=60)
@given(
    st.fractions(Fraction(1, 50), 300, max_denominator=1 << 24), st.fractions(-1000, 1000, max_denominator=1 << 12),
    st.integers(2, 400), st.integers(-5000, 0), st.integers(1, 40000),
)  # fmt: skip
def test_thresholds_of_any_gain_with_floor_have_a_line(
    step: Fraction, start: Fraction, count: int, lo: int, hi: int
) -> None:  # fmt: skip
    row = clipped([ceil(start + k * step) for k in range(1, count + 1)], lo, hi)
    assert_is(line(row, lo, hi, 40), row, lo, hi)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 8), st.integers(-300, 300), st.integers(2, 60), st.integers(1, 7))
def test_ties_of_powers_of_two_go_to_even_codes(shift: int, start: int, count: int, number: int) -> None:
    """round((x - start) / 2^shift), half to even: a sum on a tie meets the threshold of even codes alone."""
    codes = np.arange(number, number + count)
    places = start + codes * (1 << shift) - Fraction(1 << shift, 2)
    row = np.array([ceil(p) if k % 2 == 0 else floor(p) + 1 for k, p in zip(codes.tolist(), places, strict=True)])
    lo, hi = start - 5 - (count << shift), start + (2 * count + number << shift)
    found = line(row, lo, hi, 40, ties=True, number=number)
    assert found is not None
    made = joined([found], number + count - 1, True)
    np.testing.assert_array_equal(made.entries(0)[number - 1 :], row)


def test_no_line_bends() -> None:
    row = np.array([1, 2, 3, 14, 15, 16])
    assert line(row, -100, 100, 40) is None
    assert line(row, -100, 100, 40, ties=True) is None


def test_ties_of_another_gain_have_none() -> None:
    """Of 3/4 with half to even: ties at 2, 6, 10 …, met every second time."""
    codes = range(1, 30)
    places = [Fraction(2 * k - 1, 2) / Fraction(3, 4) for k in codes]
    row = np.array([ceil(p) if k % 2 == 0 else floor(p) + 1 for k, p in zip(codes, places, strict=True)])
    assert line(row, -100, 100, 40) is None
    assert line(row, -100, 100, 40, ties=True) is None


@pytest.mark.parametrize("gain", [0.0123, 0.9, 1 / 256])
def test_a_line_through_all_steps_of_16_bits_is_found_fast(gain: float) -> None:
    row = np.ceil((STEPS - 20000.3) / float(np.float32(gain))).astype(np.int64)
    lo, hi = int(row[0]) - 10, int(row[-1]) + 10
    started = time.process_time()
    found = line(row, lo, hi, 36)
    assert time.process_time() - started < 2  # 20 ms
    assert_is(found, row, lo, hi)


def test_one_step_moved_far_below_the_others_is_noticed() -> None:
    row = np.ceil((STEPS - 20000.3) / 0.0123).astype(np.int64)
    row[40000] += 2
    assert line(row, int(row[0]) - 10, int(row[-1]) + 10, 36) is None


def test_thresholds_out_of_reach_ask_for_nothing() -> None:
    assert_is(line(np.array([-5, -5, -5]), -5, 5, 20), np.array([-5, -5, -5]), -5, 5)
    assert_is(line(np.array([6, 6]), -5, 5, 20), np.array([6, 6]), -5, 5)
    assert_is(line(np.array([-5, -5, 6]), -5, 5, 20), np.array([-5, -5, 6]), -5, 5)


def test_channels_are_joined_at_the_longest_fraction() -> None:
    rows = [np.array([4, 8, 12]), np.array([3, 5, 8])]
    lines = [line(row, -20, 20, 20) for row in rows]
    made = joined([found for found in lines if found], 3)
    assert made.f == 1
    np.testing.assert_array_equal([made.entries(c) for c in range(2)], rows)

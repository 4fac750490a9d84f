"""Progressions: what is met is counted entry by entry in Python's integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.ir.progression import Progression


@st.composite
def progressions(draw: st.DrawFn) -> Progression:
    """Of two channels and up to 40 entries."""
    f, ties = draw(st.integers(0, 6)), draw(st.booleans())
    b = [draw(st.integers(-200 << f, 200 << f)) for _ in range(2)]
    slope = [draw(st.integers(int(ties), 20 << f)) for _ in range(2)]
    count = draw(st.integers(1, 40))
    least = draw(st.integers(0, count))
    start = [draw(st.integers(0, count)) & ~int(ties) for _ in range(2)]
    ends = least, draw(st.integers(least, count))
    return Progression(np.array(b), np.array(slope), f, count, ties, *ends, np.array(start))


def counted(p: Progression, channel: int, x: int, offset: int = 0) -> int:
    """By the definition: x meets entry start + k if it is above (b + k·D - e) / 2^f."""
    met = start = int(p.starts[channel])
    for k in range(1, p.count - start + 1):
        e = int(p.ties and k % 2 == 0)
        met += (x + offset) * 2**p.f > int(p.b[channel]) + k * int(p.D[channel]) - e
    return min(max(met, p.least), p.highest)


@given(progressions(), st.integers(-400, 400), st.integers(-50, 50))
def test_what_is_met_is_what_counting_says(p: Progression, x: int, offset: int) -> None:
    sums = np.arange(x - 20, x + 20)
    expected = [[counted(p, c, int(s), offset) for s in sums] for c in range(2)]
    moved = p.moved(np.array([offset, offset]))
    np.testing.assert_array_equal(moved.met(np.stack([sums, sums])), expected)
    np.testing.assert_array_equal(p.met(np.stack([sums, sums]) + offset), expected)


@given(progressions(), st.integers(-100, 0), st.integers(1, 100))
def test_a_row_has_the_first_sum_that_meets_each_entry(p: Progression, lo: int, hi: int) -> None:
    for channel in range(2):
        row = p.row(channel, lo, hi)
        assert len(row) == p.count
        sums = np.arange(lo, hi + 1)
        found = (sums[:, None] >= row).sum(1)
        np.testing.assert_array_equal(found, [counted(p, channel, int(s)) for s in sums])


@given(progressions(), st.integers(-3, 3), st.integers(-300, 300))
def test_entries_in_front_are_always_met(p: Progression, front: int, x: int) -> None:
    front = max(front, -p.least) * (2 if p.ties else 1)
    if p.least + front < 0:
        return
    sums = np.array([[x], [x]])
    np.testing.assert_array_equal(p.with_front(front).met(sums), p.met(sums) + front)


def test_without_an_end_all_entries_may_be_met() -> None:
    p = Progression(np.array([0]), np.array([4]), 1, 7)
    assert p.highest == 7
    np.testing.assert_array_equal(p.met(np.array([[-5, 0, 2, 3, 99]])), [[0, 0, 0, 1, 7]])


def test_numbers_near_63_bits_are_exact() -> None:
    b, slope, f = -(1 << 61) + 12345, (1 << 45) + 7, 30
    p = Progression(np.array([b]), np.array([slope]), f, 65535)
    x = [(b + k * slope) // 2**f + d for k in (1, 2, 777, 40000) for d in (0, 1)]
    expected = [counted_fast(b, slope, f, value) for value in x]
    np.testing.assert_array_equal(p.met(np.array([x])), [expected])
    assert p.entries(0)[39999] == (b + 40000 * slope) // 2**f + 1


def counted_fast(b: int, slope: int, f: int, x: int) -> int:
    return max(0, min(65535, (x * 2**f - b - 1) // slope))


def test_an_odd_number_in_front_would_change_which_ties_are_met() -> None:
    with pytest.raises(AssertionError, match="parity"):
        Progression(np.array([0]), np.array([4]), 1, 7, ties=True).with_front(1)

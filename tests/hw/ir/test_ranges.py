"""The interval of a sum: reached at both ends, and no partial sum leaves it."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.ranges import sum_range


def test_an_interval_worked_out_by_hand() -> None:
    """3·x0 - 2·x1 with x0 in [-1, 4] and x1 in [2, 5], of which a padded x1 is 0."""
    lo, hi = sum_range(np.array([[3, -2]]), np.array([-1, 2]), np.array([4, 5]), 1)
    assert (lo.tolist(), hi.tolist()) == ([-3 - 10], [12])


def test_each_group_reads_its_own_channels() -> None:
    """Outputs 0 and 1 read channels 0 and 1, outputs 2 and 3 channels 2 and 3."""
    codes = np.array([[1, 0], [0, 1], [1, 0], [0, -1]])
    lo, hi = sum_range(codes, np.zeros(4, np.int64), np.array([1, 10, 100, 1000]), 2)
    assert hi.tolist() == [1, 10, 100, 0]
    assert lo.tolist() == [0, 0, 0, -1000]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_least_interval_that_holds_every_partial_sum(seed: int) -> None:
    """By trying all operands: each term at either end of its channel's interval, or left out."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(-8, 8, (2, 2, 1, 2))
    lo = rng.integers(-9, 4, 2)
    hi = lo + rng.integers(0, 9, 2)
    found_lo, found_hi = sum_range(codes, lo, hi, 1)
    for o in range(2):
        terms = [(0, int(w) * int(lo[c]), int(w) * int(hi[c])) for c in range(2) for w in codes[o, c].reshape(-1)]
        sums = [sum(choice) for choice in itertools.product(*terms)]
        assert (found_lo[o], found_hi[o]) == (min(sums), max(sums))

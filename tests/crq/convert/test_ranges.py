"""Intervals of sums and codes, against every input there is."""

import itertools

import numpy as np
import pytest
import torch

from crq.convert.ranges import code_range, sum_range
from crq.convert.steps import Threshold


@pytest.mark.parametrize("groups", [1, 2])
def test_the_interval_of_a_sum_is_reached_at_both_ends(groups: int) -> None:
    rng = np.random.default_rng(groups)
    codes = rng.integers(-1, 2, (4, 4 // groups, 2))
    lo, hi = np.array([-1, 0, 1, -2]), np.array([1, 2, 2, -1])
    low, high = sum_range(codes, lo, hi, groups)
    for o in range(4):
        first = o // (4 // groups) * codes.shape[1]
        ends = []  # every tap on its own: padding lets a tap read 0 too
        for i, tap in itertools.product(range(codes.shape[1]), range(2)):
            values = {*range(lo[first + i], hi[first + i] + 1), 0}
            ends.append({int(codes[o, i, tap]) * v for v in values})
        assert low[o] == sum(map(min, ends))
        assert high[o] == sum(map(max, ends))


def test_the_interval_of_codes_is_that_of_the_step_itself() -> None:
    none = torch.zeros(0)
    table, signs = torch.tensor([[-3, 0, 9], [-2, 5, 6]]), torch.tensor([1, -1])
    step = Threshold(table, signs, none, none, none, 1, 1.0, -1, 2, 2, True, False)
    lo, hi = np.array([-5, -7]), np.array([4, 3])
    found = code_range(step, lo, hi)
    for c in range(2):
        x = torch.zeros(hi[c] - lo[c] + 1, 2, dtype=torch.int64)
        x[:, c] = torch.arange(lo[c], hi[c] + 1)
        codes = step(x)[:, c]
        assert (found[0][c], found[1][c]) == (int(codes.min()), int(codes.max()))

"""Weights as signed digits: the value, the form, and the interval of sums of complements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.ir.digits import complement_offset, complement_range, digits_of, signed_digits
from hw.ir.graph import Network
from hw.ir.layers import Mac
from tests.support.random_graphs import GraphBuilder

CODES = np.arange(-128, 128, dtype=np.int8)


def test_every_code_is_the_sum_of_its_digits() -> None:
    digits = signed_digits(CODES)
    assert np.array_equal((digits.astype(int) * 2 ** np.arange(digits.shape[-1])).sum(-1), CODES)
    assert set(np.unique(digits)) == {-1, 0, 1}


def test_no_two_neighbouring_digits_are_set_and_none_are_wasted() -> None:
    """The two facts that make the form unique, and minimal in its number of additions."""
    digits = signed_digits(CODES)
    assert not (digits[:, 1:] & digits[:, :-1]).any()
    assert digits[..., -1].any()


@pytest.mark.parametrize(
    ("code", "digits"),
    [(0, [0]), (1, [1]), (-1, [-1]), (3, [-1, 0, 1]), (7, [-1, 0, 0, 1]), (-6, [0, 1, 0, -1]), (-128, [0] * 7 + [-1])],
)
def test_forms_worked_out_by_hand(code: int, digits: list[int]) -> None:
    assert signed_digits(np.array([code], np.int8)).tolist() == [digits]


def layer(weights: np.ndarray, dtype: str, groups: int = 1) -> Mac:
    g = GraphBuilder((weights.shape[1] * groups, 3, 3), dtype)
    network = Network(g.finish(g.conv("x", len(weights), (1, 1), group=groups, weight_type="INT8", weights=weights)))
    found = network.layers[0]
    assert isinstance(found, Mac)
    return found


def test_the_offset_counts_negative_digits() -> None:
    mac = layer(np.array([-1, 3, -7, 0, 5, -128]).reshape(3, 2, 1, 1), "UINT4")
    assert complement_offset(mac).tolist() == [1 + 1, 1 + 0, 0 + 1]  # 3 = 4 - 1, -7 = 1 - 8, 5 = 4 + 1
    assert digits_of(mac) is digits_of(mac)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["UINT4", "INT4", "INT8"]), st.sampled_from([1, 2]))
def test_sums_of_complements_stay_in_their_interval_in_any_order(seed: int, dtype: str, groups: int) -> None:
    """Digit by digit in Python integers: for a negative digit ~(x << k) stands in for -(x << k)."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (4, 2, 1, 1))
    mac = layer(weights, dtype, groups)
    lo, hi = complement_range(mac)
    digits = signed_digits(weights.astype(np.int8))[:, :, 0, 0]
    ends = int(mac.input.lo.min()), int(mac.input.hi.max())
    for _ in range(10):
        x = rng.choice(ends, 2 * groups) if rng.random() < 0.5 else rng.integers(ends[0], ends[1] + 1, 2 * groups)
        for o in range(4):
            mine = [int(v) for v in x[2 * (o // (4 // groups)) :][:2]]
            pairs = [(v, int(d), k) for v, row in zip(mine, digits[o], strict=True) for k, d in enumerate(row) if d]
            terms = [v << k if d > 0 else ~(v << k) for v, d, k in pairs]
            partial = np.cumsum(rng.permutation(terms)) if terms else np.zeros(1, int)
            assert lo[o] <= partial.min()
            assert partial.max() <= hi[o]
            exact = sum(v * int(w) for v, w in zip(mine, weights[o, :, 0, 0], strict=True))
            assert partial[-1] + complement_offset(mac)[o] == exact

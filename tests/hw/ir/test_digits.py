"""Weights as signed digits: the value, the form, and the interval of sums of complements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.ir.digits import (
    complement_offset,
    complement_range,
    digits_of,
    inverted_offset,
    inverted_range,
    lane_bits,
    signed_digits,
)
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


def test_the_offset_of_an_unrolled_sum_counts_negative_digits() -> None:
    mac = layer(np.array([-1, 3, -7, 0, 5, -128]).reshape(3, 2, 1, 1), "UINT4")
    assert inverted_offset(mac).tolist() == [1 + 1, 1 + 0, 0 + 1]  # 3 = 4 - 1, -7 = 1 - 8, 5 = 4 + 1
    assert digits_of(mac) is digits_of(mac)


def test_the_offset_of_a_lane_is_all_ones_per_negative_product() -> None:
    """Four bits of a ternary weight, five of a pair of digits, at the place of the pair."""
    assert complement_offset(layer(np.array([[-1, -1], [1, 0]])[..., None, None], "UINT4")).tolist() == [-30, 0]
    integer = np.array([-1, 3, -7, 0, -2, -128]).reshape(3, 2, 1, 1)
    assert complement_offset(layer(integer, "UINT4")).tolist() == [-31 - 31, -31 * 4, -31 - 31 * 64]
    signed = layer(np.array([[-1, -1], [1, 0]])[..., None, None], "INT4")
    assert complement_offset(signed).tolist() == [-30 + 16, -8]


def test_a_lane_holds_its_sums_and_one_more_or_the_result() -> None:
    mac = layer(np.array([[-1, -1], [1, 0]])[..., None, None], "UINT4")
    assert [bounds.tolist() for bounds in complement_range(mac)] == [[0, 0], [30, 15]]
    assert lane_bits(mac, thresholds=True) == 5
    assert lane_bits(mac, thresholds=False) == mac.output.format.bits == 6


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["UINT4", "INT4", "INT8"]), st.booleans())
def test_sums_of_unsigned_products_are_off_by_the_offset(seed: int, dtype: str, ternary: bool) -> None:
    """Product by product in Python integers, as hw/rtl/lib/crq_pe.sv makes them."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-1, 2, (4, 3, 1, 1)) if ternary else rng.integers(-128, 128, (4, 3, 1, 1))
    mac = layer(weights, dtype)
    (lo, hi), fmt, digits = complement_range(mac), mac.input.format, digits_of(mac)[:, :, 0, 0].tolist()
    lowest, width = (1 << (fmt.bits - 1) if fmt.signed else 0), fmt.bits + (len(digits[0][0]) > 1)
    for _ in range(10):
        x = rng.integers(-lowest, (1 << fmt.bits) - lowest, 3).tolist()
        for o in range(4):
            total = 0
            for value, own in zip(x, digits[o], strict=True):
                for k in range(0, len(own), 2):
                    pair = sum(d << j for j, d in enumerate(own[k : k + 2]))
                    word = abs(pair) * (value + lowest)
                    total += ((1 << width) - 1 - word if pair < 0 else word) << k
                    assert total <= hi[o]
            assert lo[o] <= total
            assert total + complement_offset(mac)[o] == sum(v * w for v, w in zip(x, weights[o, :, 0, 0], strict=True))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["UINT4", "INT4", "INT8"]), st.sampled_from([1, 2]))
def test_sums_of_complements_stay_in_their_interval_in_any_order(seed: int, dtype: str, groups: int) -> None:
    """Digit by digit in Python integers: for a negative digit ~(x << k) stands in for -(x << k)."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (4, 2, 1, 1))
    mac = layer(weights, dtype, groups)
    lo, hi = inverted_range(mac)
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
            assert partial[-1] + inverted_offset(mac)[o] == exact

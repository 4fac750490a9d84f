"""Weights as signed digits: the value, the form, and the interval of sums of complements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.ir.digits import (
    complement_offset,
    complement_range,
    digits_of,
    lane_bits,
    signed_digits,
    sum_levels,
)
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
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


def test_levels_are_those_of_the_longest_sum() -> None:
    """Terms are digits: 3 = 4 - 1, -7 = 1 - 8 and 5 = 4 + 1 have two."""
    mac = layer(np.array([-1, 3, -7, 0, 5, -128]).reshape(3, 2, 1, 1), "UINT4")
    assert sum_levels(mac) == 2
    assert sum_levels(layer(np.array([[1, 0], [0, 0]])[..., None, None], "UINT4")) == 1
    assert sum_levels(layer(np.ones((1, 65, 1, 1), np.int64), "UINT4")) == 7
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

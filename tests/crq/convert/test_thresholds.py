"""The threshold table is the float chain, on every reachable integer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.convert.thresholds import Chain, QuantSpec, fit
from crq.errors import CrqError


def codes_by_table(chain: Chain, found, acc: np.ndarray) -> np.ndarray:
    reached = (found.signs[:, None] * acc)[:, :, None] >= found.table[:, None, :]
    return chain.quant.qmin + reached.sum(-1)


def stored(chain: Chain, found) -> Chain:
    """The chain with the bias that goes into the file."""
    return Chain(
        chain.in_scale, chain.quant, chain.channels, chain.divisor, chain.alpha, chain.gain, found.bias
    )  # fmt: skip


finite = st.floats(-4, 4, width=32)


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    channels = draw(st.integers(1, 3))
    signed = draw(st.booleans())
    bits = draw(st.integers(2, 8))
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    quant = QuantSpec(2.0 ** draw(st.integers(-6, 2)), low, high)
    vector = st.lists(finite, min_size=channels, max_size=channels).map(lambda v: np.array(v, np.float32))
    # Short decimals make rational ties, the hard case.
    alpha = draw(st.one_of(st.sampled_from([0.1, 0.3, 0.7, 0.05]), st.floats(0, 2, width=32)))
    return Chain(
        2.0 ** draw(st.integers(-8, 0)),
        quant,
        channels,
        draw(st.sampled_from([1, 1, 4, 49, 3])),
        np.float32(alpha),
        draw(st.none() | vector),
        draw(st.none() | vector),
    )


@settings(max_examples=300, deadline=None)
@given(chains(), st.integers(-300, 0), st.integers(0, 300))
def test_table_equals_chain_on_every_integer(chain: Chain, low: int, high: int) -> None:
    lo, hi = np.full(chain.channels, low), np.full(chain.channels, high)
    try:
        found = fit(chain, lo, hi, "layer")
    except CrqError as error:  # refused by name, never approximate
        if "ulps" not in str(error):
            raise
        return
    acc = np.broadcast_to(np.arange(low, high + 1), (chain.channels, high - low + 1))
    expected = codes_by_table(chain, found, acc)
    final = stored(chain, found)
    for dtype in (np.float32, np.float64):
        for reciprocal in (False, True) if chain.divisor != 1 else (False,):
            np.testing.assert_array_equal(final.codes(acc, dtype, reciprocal), expected)


@settings(max_examples=100, deadline=None)
@given(chains())
def test_tables_ascend_and_stay_in_range(chain: Chain) -> None:
    lo, hi = np.full(chain.channels, -50), np.full(chain.channels, 90)
    try:
        found = fit(chain, lo, hi, "layer")
    except CrqError:
        return
    assert (np.diff(found.table, axis=1) >= 0).all()
    low = np.where(found.signs > 0, -50, -90)[:, None]
    high = np.where(found.signs > 0, 90, 50)[:, None]
    assert ((found.table >= low) & (found.table <= high + 1)).all()


def test_disagreeing_constants_are_nudged_and_counted() -> None:
    # 0.1f·5 is 0.5 in float32 and above it in float64: a tie, which rounds to even in one and up in the other.
    chain = Chain(1.0, QuantSpec(1.0, 0, 15), 1, 1, np.float32(0.1))
    acc = np.arange(0, 200)[None]
    assert (chain.codes(acc, np.float32) != chain.codes(acc, np.float64)).any()
    found = fit(chain, np.array([0]), np.array([199]), "layer")
    assert found.nudged[0] != 0
    assert abs(found.nudged[0]) <= 16  # an ulp of 1, the scale, is 1/16 of one at the largest code
    final = stored(chain, found)
    np.testing.assert_array_equal(final.codes(acc, np.float32), final.codes(acc, np.float64))


def test_many_channels_move_each_by_the_fewest_ulps() -> None:
    rng = np.random.default_rng(0)
    channels, reach = 24, 1 << 17
    start = rng.normal(0, 100, channels).astype(np.float32)
    gain = rng.normal(1, 0.2, channels).astype(np.float32)
    chain = Chain(1.0, QuantSpec(1.0, -128, 127), channels, 1, np.float32(100 / reach), gain, start)
    found = fit(chain, np.full(channels, -reach), np.full(channels, reach), "layer")
    moved = np.flatnonzero(found.nudged)
    assert len(moved) > 8
    assert found.bias is not None
    acc = np.arange(-reach, reach + 1)[None]
    ulp = np.spacing(np.maximum(np.abs(start), np.float32(1)))
    for c in moved:
        agree = {}
        for n in range(-abs(found.nudged[c]), abs(found.nudged[c]) + 1):
            alone = Chain(1.0, chain.quant, 1, 1, chain.alpha, gain[[c]], (start + np.float32(n) * ulp)[[c]])
            agree[n] = (alone.codes(acc, np.float32) == alone.codes(acc, np.float64)).all()
        assert found.bias[c] == start[c] + np.float32(found.nudged[c]) * ulp[c]
        assert [n for n, same in agree.items() if same and abs(n) < abs(found.nudged[c])] == []
        assert agree[found.nudged[c]]


def test_constant_channels_have_constant_codes() -> None:
    chain = Chain(1.0, QuantSpec(1.0, 0, 3), 2, 1, np.float32(0), None, np.array([2.0, -1.0], np.float32))
    found = fit(chain, np.array([-9, -9]), np.array([9, 9]), "layer")
    acc = np.broadcast_to(np.arange(-9, 10), (2, 19))
    np.testing.assert_array_equal(codes_by_table(chain, found, acc), [[2] * 19, [0] * 19])


@pytest.mark.parametrize("what", ["alpha", "gain", "bias"])
def test_non_finite_constants_name_the_layer(what: str) -> None:
    bad = np.array([np.nan], np.float32)
    constants = {"alpha": np.float32(1), "gain": None, "bias": None} | {what: bad[0] if what == "alpha" else bad}
    chain = Chain(1.0, QuantSpec(1.0, 0, 3), 1, **constants)
    with pytest.raises(CrqError, match=f"'conv7'.*{what}"):
        fit(chain, np.array([0]), np.array([9]), "conv7")

"""Tables of thresholds: counted literally, they give the layer's codes for every integer it can meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crq.hw.dataflow.thresholds import Table, filled_levels, search_steps, table
from crq.hw.ir.layers import Shape, Tensor, Threshold

Values = NDArray[np.int64]


def layer_of(lo: Values, hi: Values, thresholds: Values, qmin: int) -> Threshold:
    shape = Shape(len(lo), 1, 1)
    ends = [qmin + (thresholds <= x[:, None]).sum(1) for x in (lo, hi)]
    return Threshold("t", (Tensor("x", shape, lo, hi),), Tensor("y", shape, *ends), thresholds, qmin, "INT8")


def ramp(levels: int, qmin: int = 0) -> Threshold:
    """One channel of [0, 1000] in which every code occurs."""
    return layer_of(np.array([0]), np.array([1000]), np.arange(1, levels + 1)[None], qmin)


@st.composite
def layers(draw: st.DrawFn) -> Threshold:
    channels, levels = draw(st.integers(1, 3)), draw(st.integers(1, 40))
    rows = [sorted(draw(st.lists(st.integers(-90, 90), min_size=levels, max_size=levels))) for _ in range(channels)]
    lo = np.array([draw(st.integers(-70, 60)) for _ in range(channels)])
    hi = np.array([draw(st.integers(low, 70)) for low in lo])
    return layer_of(lo, hi, np.array(rows), draw(st.sampled_from([0, 0, -levels, -(levels // 2), -1, 1, 3])))


def code(found: Table, channel: int, x: int) -> int:
    """As the hardware reads it: entries that are met, the top bit turned if signed, two's complement."""
    count = sum(1 for entry in found.rows[channel] if entry <= x)
    if not found.signed:
        return count
    turned = count ^ (1 << (found.bits - 1))
    return turned - (1 << found.bits) if turned >> (found.bits - 1) else turned


@settings(deadline=None)
@given(layers(), st.lists(st.integers(-20, 20), min_size=3, max_size=3))
def test_counting_entries_gives_the_code_of_every_reachable_integer(layer: Threshold, offsets: list[int]) -> None:
    offset = np.array(offsets[: len(layer.thresholds)])
    lo, hi = layer.input.lo - offset, layer.input.hi - offset
    found = table(layer, lo, hi, offset)
    assert found.rows.shape == (len(lo), 2**found.bits - 1)
    assert (np.diff(found.rows, axis=1) >= 0).all()
    for c, row in enumerate(layer.thresholds):
        for x in range(layer.input.lo[c], layer.input.hi[c] + 1):
            assert code(found, c, x - offset[c]) == layer.qmin + sum(1 for t in row if x >= t)


@given(layers())
def test_every_entry_and_integer_fits_the_width(layer: Threshold) -> None:
    lo, hi = layer.input.lo, layer.input.hi
    found = table(layer, lo, hi, np.zeros_like(lo))
    assert found.rows.min() >= -(1 << (found.width - 1))
    assert max(found.rows.max(), hi.max() + 1) < 1 << (found.width - 1)
    assert table(layer, lo, hi, np.zeros_like(lo), width=found.width + 3).width == found.width + 3
    assert table(layer, lo, hi, np.zeros_like(lo), width=1).width == found.width


@pytest.mark.parametrize(("levels", "steps"), [(1, 0), (3, 0), (15, 0), (16, 5), (31, 5), (32, 6), (255, 8)])
def test_codes_wider_than_four_bits_are_searched_one_step_per_bit(levels: int, steps: int) -> None:
    layer = ramp(levels)
    assert search_steps(layer) == steps
    found = table(layer, layer.input.lo, layer.input.hi, np.zeros(1, np.int64))
    assert found.searched == (steps > 0)


def test_without_thresholds_nothing_is_searched() -> None:
    assert search_steps(None) == 0


def test_codes_that_never_occur_need_no_search() -> None:
    """255 levels, of which the input reaches the lowest 9."""
    assert search_steps(layer_of(np.array([0]), np.array([9]), np.arange(1, 256)[None], 0)) == 0


@pytest.mark.parametrize(
    ("levels", "filled"), [(1, 1), (7, 7), (14, 14), (15, 15), (16, 31), (31, 31), (32, 63), (254, 255), (255, 255)]
)
def test_searched_tables_are_filled_to_a_power_of_two(levels: int, filled: int) -> None:
    assert filled_levels(ramp(levels)) == filled

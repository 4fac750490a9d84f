"""Thresholds without tables: equal to the table for every integer it can meet, and found wherever they exist."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crq.export.qonnx import to_qonnx
from crq.hw.dataflow.bits import signed_width
from crq.hw.dataflow.progressions import Rounding, progression, ramp, rounding, sequential_cycles
from crq.hw.dataflow.thresholds import Table, table
from crq.hw.dataflow.units import units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from crq.hw.ir.progression import Progression
from crq.hw.read import read_qonnx
from tests.support.nets import Plain, Residual, frozen

Values = NDArray[np.int64]


def table_of(rows: Values, lo: Values, hi: Values, signed: bool = False) -> Table:
    rows = np.clip(rows, lo[:, None], hi[:, None] + 1)
    width = signed_width(int(lo.min()), int(hi.max()) + 1)
    return Table(rows, lo, hi, rows.shape[1].bit_length(), signed, width)


def assert_equal_on_every_integer(found: Progression, to: Table) -> None:
    assert (found.D >= 0).all()
    k = np.arange(1, to.rows.shape[1] + 1)
    for c in range(len(to.rows)):
        x = np.arange(to.lo[c], to.hi[c] + 1)[:, None]
        codes = (x > (found.b[c] + k * found.D[c]) >> found.f).sum(1)
        np.testing.assert_array_equal(codes, (x >= to.rows[c]).sum(1))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Small ones; progressions with an entry moved now and then, entries out of reach on both sides."""
    channels, bits = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    rows, lo, hi = [], [], []
    for _ in range(channels):
        f = draw(st.integers(0, 5))
        b, slope = draw(st.integers(-40 << f, 40 << f)), draw(st.integers(0, 12 << f))
        row = ((b + np.arange(1, 1 << bits) * slope) >> f) + 1
        row[draw(st.integers(0, len(row) - 1))] += draw(st.sampled_from([0, 0, 0, 1, -1, 3]))
        rows.append(np.sort(row))
        lo.append(draw(st.integers(-60, 50)))
        hi.append(draw(st.integers(lo[-1], 60)))
    return table_of(np.array(rows), np.array(lo), np.array(hi))


def smallest_fraction(row: Values, lo: int, hi: int) -> int | None:
    """Tries every D, each with the interval of b that its entries leave; fractions up to 5."""
    k = np.arange(1, len(row) + 1)
    for f in range(6):
        for slope in range(0, (hi - lo + 2 << f) + 1):
            least = (((row - 1) << f) - k * slope)[row > lo]
            most = ((row << f) - 1 - k * slope)[row <= hi]
            if not least.size or not most.size or least.max() <= most.min():
                return f
    return None


@settings(deadline=None, max_examples=200)
@given(tables())
def test_a_progression_is_found_where_there_is_one(drawn: Table) -> None:
    found = progression(drawn)
    each = [smallest_fraction(drawn.rows[c], int(drawn.lo[c]), int(drawn.hi[c])) for c in range(len(drawn.rows))]
    small = [f for f in each if f is not None]
    if found is None:
        assert len(small) < len(each)
        return
    assert_equal_on_every_integer(found, drawn)
    if len(small) == len(each):
        assert found.f == max(small)


@settings(deadline=None)
@given(tables())
def test_widths_hold_every_value(drawn: Table) -> None:
    made = ramp(drawn)
    if made is None:
        return
    found, half = made.progression, 1 << (made.b_bits - 1)
    assert (found.b >= -half).all()
    assert (found.b < half).all()
    assert found.D.max() < 1 << made.d_bits
    for x in (drawn.lo, drawn.hi):
        remainder = (x << found.f) - found.b - 1
        assert (np.abs(2 * remainder + 1) <= 1 << made.sum_bits).all()


def test_channels_are_brought_to_one_fraction() -> None:
    """Steps of 4, of 5 / 2, none, and entries all out of reach."""
    rows = np.array([[4, 8, 12], [3, 5, 8], [7, 7, 7], [99, 99, 99]])
    found = progression(table_of(rows, np.full(4, -20), np.full(4, 20)))
    assert found is not None
    assert found.f == 1
    np.testing.assert_array_equal(found.D, [8, 5, 0, 0])
    np.testing.assert_array_equal([found.entries(c) for c in range(3)], rows[:3])


def test_one_channel_without_a_progression_is_enough_to_have_none() -> None:
    rows = np.array([[4, 8, 12], [0, 1, 12]])
    assert progression(table_of(rows, np.full(2, -20), np.full(2, 20))) is None
    assert progression(table_of(rows[:1], np.full(1, -20), np.full(1, 20))) is not None


@pytest.mark.parametrize(("width", "there"), [(40, True), (46, False)])
def test_wide_sums_leave_less_room_for_the_fraction(width: int, there: bool) -> None:
    """Steps of a third need nine fractional bits, and 64-bit arithmetic has not always room for them."""
    rows = np.round(np.arange(-127, 128) * (1 << (width - 9)) / 3).astype(np.int64)[None]
    end = (1 << (width - 2)) - 1
    made = table_of(rows, np.array([-end]), np.array([end]))
    found = progression(Table(made.rows, made.lo, made.hi, made.bits, made.signed, width))
    assert (found is not None) == there
    if found is not None:
        np.testing.assert_array_equal(found.entries(0), rows[0])


def test_a_wide_layer_is_solved_fast() -> None:
    rng = np.random.default_rng(0)
    slope, start = rng.uniform(2, 20, (64, 1)), rng.uniform(-2000, 0, (64, 1))
    rows = np.ceil(start + slope * np.arange(1, 256)).astype(np.int64)
    wide = table_of(rows, np.full(64, -2000), np.full(64, 2000))
    progression(wide)
    started = time.process_time()
    assert progression(wide) is not None
    assert time.process_time() - started < 0.5  # 25 ms on a machine that does nothing else


@pytest.fixture(scope="module", params=[Plain, Residual], ids=lambda n: n.__name__)
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Network:
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    to_qonnx(frozen(request.param), path)
    return Network(read_qonnx(path))


def test_thresholds_of_batch_norms_are_progressions(network: Network) -> None:
    """Also of sums that are lower by an offset per channel, as complemented operands give."""
    count = 0
    for unit in units(network):
        if unit.threshold is None or not isinstance(unit.layer, Mac):
            continue
        layer = unit.threshold
        for offset in (np.zeros_like(layer.input.lo), np.arange(len(layer.thresholds))):
            made = table(layer, layer.input.lo - offset, layer.input.hi - offset, offset)
            found = progression(made)
            assert found is not None
            assert_equal_on_every_integer(found, made)
            count += 1
    assert count


def rounded(rule: Rounding, x: Values, bits: int, signed: bool) -> Values:
    base = 1 << (bits - 1) if signed else 0
    codes = np.rint((x + rule.offset) / 2.0**rule.shift)
    return np.clip(codes, -base, (1 << bits) - 1 - base).astype(np.int64) + base


def assert_rounds(rule: Rounding, to: Table) -> None:
    for c, row in enumerate(to.rows):
        x = np.arange(to.lo[c], to.hi[c] + 1)
        np.testing.assert_array_equal(rounded(rule, x, to.bits, to.signed), (x[:, None] >= row).sum(1))


@settings(deadline=None)
@given(st.integers(0, 6), st.integers(-20, 20), st.integers(1, 4), st.booleans(), st.data())
def test_a_rounding_is_found_where_there_is_one(
    shift: int, offset: int, bits: int, signed: bool, data: st.DataObject
) -> None:
    lo = np.array([data.draw(st.integers(-100, 90)) for _ in range(2)])
    hi = np.array([data.draw(st.integers(low, 100)) for low in lo])
    x = np.arange(-2000, 2000)
    codes = rounded(Rounding(shift, offset), x, bits, signed)
    row = np.array([x[(codes >= k).argmax()] if codes.max() >= k else 2000 for k in range(1, 1 << bits)])
    made = table_of(np.stack([row, row]), lo, hi, signed)
    found = rounding(made)
    assert found is not None
    assert abs(found.offset) <= abs(offset)
    assert_rounds(found, made)


@settings(deadline=None)
@given(tables())
def test_whatever_rounding_is_found_is_right(drawn: Table) -> None:
    found = rounding(drawn)
    if found is not None:
        assert_rounds(found, drawn)


def test_channels_that_differ_have_no_rounding() -> None:
    lo, hi = np.full(2, 0), np.full(2, 100)
    row = [8, 25, 40]  # 8 and 40 are ties, 24 is one that goes down to 1
    assert rounding(table_of(np.array([[9, 24, 41]] * 2), lo, hi)) == Rounding(4)
    assert rounding(table_of(np.array([[9, 24, 41], row]), lo, hi)) is None


def test_a_step_finds_a_bit() -> None:
    assert [sequential_cycles(bits) for bits in (1, 4, 8)] == [1, 4, 8]

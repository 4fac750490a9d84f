"""The cycle model of one unit, against the unit as counters, cycle by cycle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crq.hw.dataflow.beats import beats_in
from crq.hw.dataflow.schedule import cycles, depth, graph_stages, lane_products, lane_registers, schedule, spaced
from crq.hw.dataflow.units import FOLDED, Fold, Unit, divisors, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from tests.support.machines import run_unit
from tests.support.random_graphs import NETWORKS, GraphBuilder, u_net

IMAGES = 3
LONGEST = 1500  # cycles of an image that are simulated


def every_unit() -> list[tuple[str, Unit]]:
    made = {**NETWORKS, "u_net": u_net}
    return [(f"{name} {u.name}", u) for name, make in made.items() for u in units(Network(make(0)))]


UNITS = every_unit()


@st.composite
def entries(draw: st.DrawFn) -> tuple[Unit, Fold, list[NDArray[np.int64]], list[int]]:
    """A unit, and per input when beats come, cut into as many parts as a converter joins."""
    several = [named for named in UNITS if len(named[1].sources) > 1]
    _, unit = draw(st.sampled_from(draw(st.sampled_from([UNITS, several]))))  # few have several inputs
    fold = draw(st.sampled_from([f for f in unit.legal_folds() if cycles(unit, f).interval <= LONGEST]))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    entering, joined = [], []
    for tensor, beat in zip(unit.sources, beats_in(unit, fold), strict=True):
        joined.append(draw(st.sampled_from([d for d in divisors(beat) if d <= 6])))
        count = IMAGES * tensor.shape.size // beat * joined[-1]
        rare, long = draw(st.sampled_from([(0.0, 1), (0.1, 30), (0.7, 4), (1.0, 3)]))
        entering.append(np.cumsum(np.where(rng.random(count) < rare, rng.integers(1, long + 1, count), 1)) - 1)
    return unit, fold, entering, joined


@settings(deadline=None, max_examples=120)
@given(entries())
def test_beats_are_taken_and_given_in_the_cycles_of_the_circuit(entry) -> None:
    """Sources that break off and go on; in front of the unit, converters that join beats."""
    unit, fold, entering, joined = entry
    machine = run_unit(unit, fold, [e.tolist() for e in entering], joined)
    # A joined beat is there a cycle after its last part, which the others leave time.
    there = [(e.reshape(-1, n) + np.arange(n, 0, -1)).max(1) if n > 1 else e
             for e, n in zip(entering, joined, strict=True)]  # fmt: skip
    found = schedule(unit, fold, there, joined)
    assert found.given.tolist() == machine.given
    for one, taken in zip(found.taken, machine.taken, strict=True):
        assert one[: len(taken)].tolist() == taken


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(UNITS), st.data())
def test_the_interval_is_the_distance_of_images_that_are_never_late(named: tuple[str, Unit], data) -> None:
    unit = named[1]
    fold = data.draw(st.sampled_from([f for f in unit.legal_folds() if cycles(unit, f).interval <= LONGEST]))
    images = 6
    inputs = zip(unit.sources, beats_in(unit, fold), strict=True)
    given_ = run_unit(unit, fold, [[0] * (images * t.shape.size // beat) for t, beat in inputs]).given
    last = given_[len(given_) // images - 1 :: len(given_) // images]
    assert last[-1] - last[-2] == cycles(unit, fold).interval


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20), st.integers(1, 5))
def test_spaced_is_the_earliest_that_keeps_the_distance(ready: list[int], pace: int) -> None:
    found = spaced(np.array(ready), pace).tolist()
    assert found[0] == ready[0]
    for (before, now), at in zip(pairwise(found), ready[1:], strict=True):
        assert now == max(at, before + pace)


@pytest.mark.parametrize("form", ["parallel", FOLDED])
def test_products_divide_the_time_of_a_pixel(form: str) -> None:
    """A layer of 5x5 windows, 6 x 18 products each."""
    g = GraphBuilder((2, 7, 7), "UINT4")
    [unit] = units(Network(g.finish(g.conv("x", 6))))
    for fold in unit.legal_folds():
        if fold.form == form:
            steps = 6 * 18 // fold.pe // fold.simd
            assert cycles(unit, fold).steps == steps
            assert cycles(unit, fold).interval >= 25 * steps


def test_a_parallel_window_passes_every_other_pixel_in_a_cycle() -> None:
    g = GraphBuilder((2, 7, 7), "UINT4")
    [unit] = units(Network(g.finish(g.conv("x", 6, pads=(1, 0, 0, 1)))))
    assert cycles(unit, Fold(6, 18)).interval == 8 * 8
    assert cycles(unit, Fold(2, 18)).interval == 8 * 8 + 36 * 2


@pytest.mark.parametrize(("terms", "levels", "stages"), [
    (1, 2, 1), (2, 2, 1), (4, 2, 1), (5, 2, 2), (16, 2, 2), (17, 2, 3), (64, 2, 3), (64, 1, 6), (64, 4, 2), (64, 9, 1),
])  # fmt: skip
def test_adders_are_registered_after_so_many_levels(terms: int, levels: int, stages: int) -> None:
    g = GraphBuilder((terms, 1, 1), "UINT4")
    [unit] = units(Network(g.finish(g.matmul(g.flatten("x"), 1, weights=np.ones((terms, 1), np.int64)))))
    assert isinstance(unit.layer, Mac)
    assert graph_stages(unit.layer, levels) == stages
    assert depth(unit, Fold(1, terms, levels=levels)) == 1 + stages


@given(st.integers(1, 300), st.integers(1, 8))
def test_a_lane_leaves_two_terms_to_its_accumulator(simd: int, digits: int) -> None:
    """Products of pairs of digits, halved level by level; a register after every second level."""
    terms = simd * -(-digits // 2)
    assert lane_products(simd, digits) == terms
    levels = 0
    while 1 << levels < terms:
        levels += 1
    assert lane_registers(simd, digits) == levels // 2

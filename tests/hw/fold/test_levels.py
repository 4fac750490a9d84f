"""Levels of adders by the clock, and which units have them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.dataflow.schedule import graph_stages
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.devices.catalog import priced
from crq.hw.fold.levels import (
    BASE_NS,
    FETCH_NS,
    LEVEL_NS,
    MARGIN,
    QUICK_NS,
    adder_levels,
    reads_blocks,
    with_levels,
    with_registers,
)
from crq.hw.fold.search import Target, decide
from crq.hw.graphs.layer import layer_stages
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac
from crq.hw.rtl.synth import FAMILIES as SYNTHESISED
from tests.support.random_graphs import GraphBuilder

FAMILIES = tuple(sorted({priced(family) for family in SYNTHESISED}))
"""Those whose prices an estimate takes."""


def test_every_family_has_its_delays() -> None:
    assert set(BASE_NS) == set(LEVEL_NS) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_slower_clock_has_room_for_more_levels(family: str) -> None:
    found = [adder_levels(family, ns) for ns in (0.5, 1, 2, 5, 10, 20)]
    assert found == sorted(found)
    assert found[0] == 1
    assert found[-1] > 3


def test_ecp5_is_as_measured() -> None:
    rows = list(csv.DictReader((Path(__file__).parents[3] / "benchmarks" / "levels.csv").open()))
    assert rows
    for row in rows:
        assert float(row["ns"]) == pytest.approx(BASE_NS["ecp5"] + int(row["levels"]) * LEVEL_NS["ecp5"], rel=0.15)


def test_only_adder_graphs_have_levels() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    network = Network(g.finish(g.conv(g.threshold(g.conv("x", 4), 4), 4)))
    first, second = units(network)
    folds = {first.name: Fold(4, 36), second.name: Fold(2, 4)}
    found = with_levels(network, folds, "xcup", 10)
    assert found[first.name] == Fold(4, 36, levels=adder_levels("xcup", 10))
    assert found[second.name] == folds[second.name]
    assert with_levels(network, folds, "xcup", 10, unrolled=True)[second.name].levels == adder_levels("xcup", 10)


def test_only_ecp5_and_only_a_fast_clock_add_registers() -> None:
    g = GraphBuilder((16, 32, 32), "UINT4")
    network = Network(g.finish(g.conv(g.threshold(g.conv("x", 32), 4), 4)))
    first, second = units(network)
    folds = {first.name: Fold(4, 8, form=FOLDED), second.name: Fold(4, 32 * 9)}
    for family, clock in (("xcup", 2.0), ("xc7", 3.0), ("ecp5", 20.0)):
        assert with_registers(network, folds, family, clock) == with_levels(network, folds, family, clock)
    between = (FETCH_NS["ecp5"] + QUICK_NS["ecp5"]) / 2
    found = with_registers(network, folds, "ecp5", between)
    assert [found[u.name][-2:] for u in (first, second)] == [(1, 0), (0, 0)]
    assert {fold.quick for fold in with_registers(network, folds, "ecp5", QUICK_NS["ecp5"] - 1).values()} == {1}


def test_blocks_are_read_where_the_window_or_the_weights_lie_in_them() -> None:
    g = GraphBuilder((16, 32, 32), "UINT4")
    [unit] = units(Network(g.finish(g.conv("x", 16))))
    assert reads_blocks(unit, Fold(4, 8, form=FOLDED))  # 4 rows of 32 pixels
    assert not reads_blocks(unit, Fold(4, 8))
    assert reads_blocks(unit, Fold(4, 8, rom="bram"))
    assert not reads_blocks(unit, Fold(16, 144))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FAMILIES), st.sampled_from([2.0, 3.5, 5.0, 10.0]))
def test_no_stage_is_longer_than_the_clock_leaves_time_for(seed: int, family: str, clock: float) -> None:
    """Of graphs as they are built, by the delays of this module; one level is the least."""
    rng = np.random.default_rng(seed)
    inputs, outputs = int(rng.integers(2, 90)), int(rng.integers(1, 12))
    g = GraphBuilder((inputs, 1, 1), "UINT4")
    weights = rng.choice([-1, 0, 1], (inputs, outputs), p=[0.3, 0.4, 0.3])
    [mac] = [x for x in Network(g.finish(g.matmul(g.flatten("x"), outputs, weights=weights))) if isinstance(x, Mac)]
    found = layer_stages(mac, family, graph_stages(mac, adder_levels(family, clock)))
    delay = BASE_NS[family] + found.levels_per_stage * LEVEL_NS[family]
    assert delay <= max(MARGIN * clock, BASE_NS[family] + LEVEL_NS[family])


def test_a_search_sets_them() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    network = Network(g.finish(g.conv("x", 4)))
    [fold] = decide(network, Target(fps=1e9 / (5 * 36)), clock_period_ns=5).folds.values()
    assert fold.levels == adder_levels("xcup", 5)

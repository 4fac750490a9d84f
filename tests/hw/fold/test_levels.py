"""Levels of adders by the clock, and which units have them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.dataflow.schedule import graph_stages
from hw.dataflow.units import Fold, units
from hw.fold.levels import BASE_NS, LEVEL_NS, MARGIN, adder_levels, with_levels
from hw.fold.search import Target, decide
from hw.graphs.layer import layer_stages
from hw.ir.graph import Network
from hw.ir.layers import Mac
from hw.rtl.synth import FAMILIES
from tests.support.random_graphs import GraphBuilder


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

"""Levels of adders by the clock, and which units have them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hw.dataflow.units import Fold, units
from hw.fold.levels import BASE_NS, LEVEL_NS, adder_levels, with_levels
from hw.fold.search import Target, decide
from hw.ir.graph import Network
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


def test_a_search_sets_them() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4")
    network = Network(g.finish(g.conv("x", 4)))
    [fold] = decide(network, Target(fps=1e9 / (5 * 36)), clock_period_ns=5).folds.values()
    assert fold.levels == adder_levels("xcup", 5)

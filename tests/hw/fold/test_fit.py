"""What does not fit is named by its resource, and a remedy is one that works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crq.hw.cost.resources import Resources
from crq.hw.dataflow.timing import RTL
from crq.hw.dataflow.units import Fold, units
from crq.hw.devices.catalog import find
from crq.hw.fold.fit import fill, filled, relief, remedy, shares, told
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

PART = find("PYNQ-Z2")


@pytest.fixture(scope="module")
def network() -> Network:
    """Two layers whose weights lie in block RAM by their size."""
    g = GraphBuilder((64, 1, 1), "UINT2", seed=3)
    h = g.threshold(g.matmul(g.flatten("x"), 96), 2)
    return Network(g.finish(g.matmul(h, 64)))


@pytest.fixture(scope="module")
def folds(network: Network) -> dict[str, Fold]:
    return {unit.name: Fold(1, 1) for unit in units(network)}


def test_shares_are_of_each_resource() -> None:
    found = shares(Resources(logic=26_600, ff=0, bram18=420), PART)
    assert found == {"LUT": 0.5, "FF": 0.0, "BRAM36": 1.5}
    assert told(found) == "BRAM36 150%"
    assert told(found, 0.4) == "LUT 50%, BRAM36 150%"
    assert told({"LUT": 0.5, "FF": 0.1, "BRAM36": 0.2}) == "LUT 50%"
    assert shares(Resources(bram18=1), replace(PART, bram36=0))["BRAM36"] == float("inf")


def test_the_options_of_the_remedy_do_what_it_says(network: Network, folds: dict[str, Fold]) -> None:
    blocks = filled(network, folds, PART)["BRAM36"] * PART.bram36
    assert blocks == 1  # two halves
    small = replace(PART, bram36=0.5)
    moved, share = relief(network, folds, small, RTL)
    assert len(moved) == 1  # one is enough
    done = {name: fold._replace(rom="lut") if name in moved else fold for name, fold in folds.items()}
    assert fill(network, done, small) == share <= 1
    assert remedy(network, folds, small, RTL) == (
        f"try `--rom {moved[0]}=lut`, which fills {share:.0%}, or take a larger part"
    )
    assert len(relief(network, folds, replace(PART, bram36=0), RTL)[0]) == 2


def test_where_weights_in_luts_do_not_help_there_is_none(network: Network, folds: dict[str, Fold]) -> None:
    assert relief(network, folds, replace(PART, lut=10), RTL) is None  # LUTs are short
    assert relief(network, folds, replace(PART, lut=400, bram36=0), RTL) is None  # and then they would be
    assert remedy(network, folds, replace(PART, lut=10), RTL) == "take a larger part"

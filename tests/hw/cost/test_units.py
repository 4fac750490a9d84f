"""Circuits of a unit under a folding: that each kind has its own, and that prices follow the folding."""

from __future__ import annotations

import pytest

from crq.hw.cost.resources import Resources
from crq.hw.cost.units import cost
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.ir.graph import Network
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder

NETWORKS = {name: Network(make(0)) for name, make in random_graphs.NETWORKS.items()}


@pytest.mark.parametrize("family", ["xcup", "xc7", "ecp5"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_folding_of_every_unit_has_a_price(name: str, family: str) -> None:
    for unit in units(NETWORKS[name]):
        for fold in unit.legal_folds()[:: max(1, len(unit.legal_folds()) // 8)]:
            parts = cost(unit, fold, family).parts()
            for price in parts.values():
                assert {type(value) for value in price} <= {int, float}
                assert min(price) >= 0
            assert unit.is_wires == (Resources().plus(*parts.values()) == Resources())


def test_more_lanes_cost_more_and_no_unit_has_dsp() -> None:
    g = GraphBuilder((8, 6, 6), "UINT4")
    unit = units(Network(g.finish(g.threshold(g.conv("x", 8), 4))))[0]
    lanes = [cost(unit, Fold(pe, 4, form=FOLDED)).parts()["lanes"].lut for pe in (1, 2, 4, 8)]
    assert lanes == [lanes[0] * n for n in (1, 2, 4, 8)]
    assert Resources().plus(*cost(unit, Fold(8, 4)).parts().values()).dsp == 0

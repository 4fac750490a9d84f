"""Foldings chosen together: never worse than units alone or parallel forms alone, converters counted."""

from __future__ import annotations

import itertools

import pytest

from crq.hw.cost.network import estimate
from crq.hw.dataflow.beats import beat_out, beats_in, conversion
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.units import PARALLEL, units
from crq.hw.fold.candidates import Limits, Wish
from crq.hw.fold.joint import _Joint, within
from crq.hw.fold.search import remembered
from crq.hw.ir.graph import Network
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder


@pytest.mark.parametrize("budget", [500, 2_000, 20_000])
@pytest.mark.parametrize("name", ["residual_net", "depthwise_net", "global_pool_net"])
def test_all_together_cost_no_more_than_other_choices(name: str, budget: int) -> None:
    network, cost = Network(random_graphs.NETWORKS[name]()), remembered()
    joint = _Joint(network, budget, cost, Limits())
    folds = joint.best()
    alone = {u.name: min(joint.options[u.name], key=lambda f, u=u: joint.options[u.name][f]) for u in units(network)}
    parallel = {u.name: min((f for f in joint.options[u.name] if f.form == PARALLEL),
                            key=lambda f, u=u: joint.options[u.name][f], default=folds[u.name])
                for u in units(network)}  # fmt: skip
    assert joint.total(folds) <= joint.total(alone)
    assert joint.total(folds) <= joint.total(parallel)


def test_a_short_chain_is_folded_as_well_as_trying_everything() -> None:
    g = GraphBuilder((4, 6, 6), "UINT4", seed=3)
    h = g.threshold(g.conv("x", 4, pads=(1, 1, 1, 1)), 4)
    network = Network(g.finish(g.max_pool(g.threshold(g.conv(h, 4, (1, 1)), 4))))
    joint = _Joint(network, 600, remembered(), Limits())
    names = [u.name for u in units(network)]
    everything = itertools.product(*(joint.options[name] for name in names))
    least = min(joint.total(dict(zip(names, folds, strict=True))) for folds in everything)
    assert joint.total(joint.best()) == pytest.approx(least)


def test_budgets_are_kept_where_they_can_be_and_wishes_always() -> None:
    network = Network(random_graphs.residual_net())
    first = units(network)[0]
    folds = within(network, 1_000, remembered(), Limits({first.name: Wish(1, 1)}))
    assert folds[first.name][:2] == (1, 1)
    for unit in units(network)[1:]:
        assert cycles(unit, folds[unit.name]).interval <= 1_000


def test_neighbours_have_beats_that_need_few_converters() -> None:
    network = Network(random_graphs.resnet(1))
    folds = within(network, 150_000, remembered())
    makers = {u.output.name: u for u in units(network)}
    edges = [(beat_out(makers[t.name], folds[makers[t.name].name]), n)
             for u in units(network) for t, n in zip(u.sources, beats_in(u, folds[u.name]), strict=True)
             if t.name in makers]  # fmt: skip
    joined = [conversion(*e) for e in edges if e[0] != e[1]]
    assert len(joined) < len(edges)
    assert estimate(network, folds).total.lut < 5_000

"""The two forms keep time alike but for folded windows, which HLS reads in counted loops."""

from __future__ import annotations

import pytest

from crq.hw.dataflow.streams import fifo_depths, pipeline
from crq.hw.dataflow.timing import HLS, RTL
from crq.hw.dataflow.units import FOLDED, units
from crq.hw.ir.graph import Network
from tests.support import random_graphs


@pytest.mark.parametrize("name", list(random_graphs.NETWORKS))
def test_folded_units_are_counted_loops_and_the_others_are_the_same(name: str) -> None:
    for unit in units(Network(random_graphs.NETWORKS[name]())):
        for fold in unit.legal_folds():
            counted, model = HLS.cycles(unit, fold), RTL.cycles(unit, fold)
            if fold.form == FOLDED:
                assert counted.steps == model.steps
                assert counted.interval >= counted.steps * unit.output.shape.pixels
            else:
                assert counted == model


def test_depths_for_any_pipeline_are_at_least_those_of_two_beats_and_of_its_own_schedule() -> None:
    network = Network(random_graphs.residual_net())
    folds = {u.name: u.legal_folds()[-1] for u in units(network)}
    least, safe = fifo_depths(network, folds, HLS._replace(extra=0)), fifo_depths(network, folds, HLS)
    assert all(safe[edge] >= max(2, depth) for edge, depth in least.items())
    assert sum(safe.values()) > sum(least.values())


def test_rows_that_begin_before_they_are_complete_shorten_the_way_through_the_network() -> None:
    network = Network(random_graphs.residual_net())
    folds = {u.name: [f for f in u.legal_folds() if f.form == FOLDED or not u.is_windowed][-1] for u in units(network)}
    assert pipeline(network, folds, timing=HLS).latency < pipeline(network, folds).latency

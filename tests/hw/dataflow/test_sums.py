"""The sums that lanes give: exact ones of an adder graph, and those of folded lanes, which lack an offset."""

from __future__ import annotations

import numpy as np

from hw.dataflow.sums import sums
from hw.dataflow.units import units
from hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder

WEIGHTS = np.array([[1, -1, 1], [0, 1, -1]]).T  # (inputs, outputs)


def test_an_adder_graph_gives_the_sum_itself() -> None:
    """[-15, 30] and [-15, 15] of inputs in [0, 15], and one more for a threshold that is never met."""
    g = GraphBuilder((3,), "UINT4")
    found = sums(units(Network(g.finish(g.threshold(g.matmul("x", 2, weights=WEIGHTS), 2))))[0], True)
    assert (found.bits, found.offset.tolist(), found.middle) == (6, [0, 0], 0)
    assert found.table is not None
    assert (found.table.lo.tolist(), found.table.hi.tolist()) == ([-15, -15], [30, 15])


def test_a_folded_lane_adds_complements() -> None:
    """-x is 15 - x, which is 15 too much for every negative weight; the top bit is the sign that thresholds see."""
    g = GraphBuilder((3,), "UINT4")
    found = sums(units(Network(g.finish(g.threshold(g.matmul("x", 2, weights=WEIGHTS), 2))))[0], False)
    assert found.offset.tolist() == [-15, -15]
    assert found.middle == 1 << (found.bits - 1)
    assert found.table is not None
    assert (found.table.lo + found.middle).tolist() == [0, 0]


def test_without_thresholds_there_is_no_table() -> None:
    g = GraphBuilder((3,), "UINT4")
    assert sums(units(Network(g.finish(g.matmul("x", 2, weights=WEIGHTS))))[0], True).table is None

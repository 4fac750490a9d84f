"""What a lane's sums are: codes of the thresholds on them are the interpreter's, in both forms."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.units import units
from crq.hw.ir.digits import digits_of
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import Mac
from tests.support.random_graphs import GraphBuilder


@pytest.mark.parametrize("unrolled", [True, False])
@pytest.mark.parametrize("dtype", ["UINT4", "INT4"])
def test_thresholds_meet_what_lanes_give(unrolled: bool, dtype: str) -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-1, 2, (6, 9))
    g = GraphBuilder((9, 1, 1), dtype)
    network = Network(g.finish(g.threshold(g.matmul(g.flatten("x"), 6, weights=weights.T), 3)))
    [unit] = units(network)
    assert isinstance(unit.layer, Mac)
    low = -8 if dtype == "INT4" else 0
    x = rng.integers(low, low + 16, (500, 9))
    found = sums(unit, unrolled)
    assert found.table is not None
    lane = x @ weights.T
    if not unrolled:  # a complement for every negative product, signed codes counted from the lowest
        negative = (digits_of(unit.layer)[:, :, 0, 0, 0] < 0).astype(int)
        terms = (x - low)[:, None] * weights + negative * 15
        lane = terms.sum(2) - found.middle
        assert np.array_equal(lane + found.middle + found.offset, x @ weights.T)
    assert lane.min() >= -(1 << (found.bits - 1))
    assert lane.max() < 1 << (found.bits - 1)
    codes = (lane[:, :, None] >= found.table.rows).sum(2)
    codes = codes ^ (1 << (found.table.bits - 1)) if found.table.signed else codes
    mask = (1 << found.table.bits) - 1
    assert np.array_equal(codes & mask, evaluate(network, x.reshape(-1, 9, 1, 1)).reshape(500, 6) & mask)


def test_without_thresholds_there_is_no_table() -> None:
    g = GraphBuilder((4, 1, 1), "UINT2")
    [unit] = units(Network(g.finish(g.matmul(g.flatten("x"), 3))))
    assert sums(unit, True).table is None
    assert sums(unit, True).offset.tolist() == [0, 0, 0]

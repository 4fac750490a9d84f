"""The price of adder graphs, against those that were synthesised (benchmarks/calibration, circuit "graph")."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from crq.hw.cost.calibration import LUT4_MEAN, LUT_MEAN
from crq.hw.cost.graphs import graph_price, rough_price, three_operands, two_operands
from crq.hw.cost.resources import Resources
from crq.hw.graphs import solve
from crq.hw.graphs.layer import OPERANDS, layer_graph
from crq.hw.graphs.stages import staged
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format, Mac
from tests.hw.graphs.test_search import ternary
from tests.support.random_graphs import GraphBuilder

CALIBRATION = Path(__file__).parents[3] / "benchmarks" / "calibration"
U4, S4, U2 = Format(4, False), Format(4, True), Format(2, False)


@pytest.mark.parametrize(
    ("family", "luts", "bar"), [("xcup", 2, LUT_MEAN), ("xc7", 3, LUT_MEAN), ("ecp5", 10, LUT4_MEAN)]
)
def test_graphs_cost_what_was_synthesised(
    family: str, luts: int, bar: float, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Each within some LUTs or the bar of a layer, as adders may share LUTs of their signs, and together within 1%.

    Registers to 2%, and which of them are memory exactly.
    """
    monkeypatch.syspath_prepend(CALIBRATION)
    monkeypatch.delitem(sys.modules, "unrolled", raising=False)
    from unrolled import graph

    with open(CALIBRATION / "circuits.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["family"], r["circuit"]) == (family, "graph")]
    off, total = [], 0
    for i, row in enumerate(rows):
        price = graph_price(graph(json.loads(row["parameters"]), i, family)[0], family)
        off.append(price.logic - int(row["logic"]))
        assert abs(off[-1]) <= max(luts, bar * int(row["logic"])), row["parameters"]
        total += int(row["logic"])
        assert price.lutram == int(row["lutram"])
        assert price.ff == pytest.approx(int(row["ff"]), rel=0.02)
    assert len(rows) == 20
    assert abs(sum(off)) <= 0.01 * total


def test_two_operands() -> None:
    """A sum has a LUT per bit in which both vary, a difference per bit; of two bits each is a LUT."""
    assert two_operands(U4, U2, False, 5) == 2
    assert two_operands(U4, U2, True, 5) == 5
    assert two_operands(S4, S4, False, 5) == 4
    assert two_operands(U4, S4, False, 6) == 4
    assert two_operands(Format(1, False), Format(1, False), False, 2) == 2
    assert [two_operands(U4, U2, False, out, "ecp5") for out in (2, 3, 4, 5, 6, 7)] == [2, 3, 6, 6, 6, 8]


def test_three_operands() -> None:
    """Above the operands stands the last majority; with signs a LUT for it, and two where two signs meet."""
    assert three_operands([U4, U4, U4], [False] * 3, 6) == 4
    assert three_operands([U4, U4, U4], [False, True, False], 6) == 5
    assert three_operands([U4, U4, U4], [False, True, True], 6) == 4
    assert three_operands([S4, S4, S4], [False] * 3, 6) == 4 + 1
    assert three_operands([U4, S4, S4], [False] * 3, 6) == 4 + 1 + 2
    assert three_operands([S4, S4, S4], [False] * 3, 5) == 4 + 1
    assert three_operands([U2, U2, S4], [False] * 3, 6) == 4
    assert three_operands([U2, U2, S4], [False, False, True], 6) == 4 + 1
    assert three_operands([U2, U2, S4], [False, True, False], 6) == 4
    assert [three_operands([S4, S4, S4], [False, True, n], 4, "xc7") for n in (False, True)] == [4, 6]


def test_registers_one_behind_the_other_become_memory_on_xilinx() -> None:
    graph = staged(solve(np.array([[1]]), [(0, 15)]), 4)
    assert graph_price(graph) == Resources(lutram=4)
    assert graph_price(graph, "ecp5") == Resources(ff=16)


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
@pytest.mark.parametrize(("inputs", "outputs", "dtype"), [(36, 16, "UINT4"), (72, 16, "INT8"), (144, 32, "UINT2")])
def test_the_rough_price_is_near(inputs: int, outputs: int, dtype: str, family: str) -> None:
    g = GraphBuilder((inputs, 1, 1), dtype)
    network = Network(g.finish(g.matmul(g.flatten("x"), outputs, weights=ternary(0, outputs, inputs).T)))
    mac = next(layer for layer in network if isinstance(layer, Mac))
    exact = graph_price(staged(layer_graph(mac, OPERANDS[family]), 3), family)
    rough = rough_price(mac, family)
    assert 0.75 < rough.logic / exact.logic < 1.35
    assert 0.5 < rough.ff / exact.ff < 2

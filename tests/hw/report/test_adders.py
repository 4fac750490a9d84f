"""What a report says of adder graphs, and how it writes a latency."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crq.hw.dataflow.units import Fold, units
from crq.hw.ir.graph import Network
from crq.hw.report import adders
from crq.hw.report.model import build_report
from tests.support.random_graphs import GraphBuilder


def network() -> Network:
    g = GraphBuilder((8, 1, 1), "UINT4")
    return Network(g.finish(g.threshold(g.matmul(g.flatten("x"), 2, weights=np.ones((8, 2), np.int64)), 4)))


def test_a_graph_is_counted_where_all_weights_are_built_in() -> None:
    [unit] = units(network())
    found = adders.facts(unit, Fold(2, 8, levels=2), "xcup", unrolled=False)
    assert found == {"adders": 4, "of_three_operands": 3, "levels": 2, "stages": 2, "levels_per_stage": 1}
    assert adders.facts(unit, Fold(1, 8), "xcup", unrolled=False) is None
    assert adders.facts(unit, Fold(1, 8), "ecp5", unrolled=True) is not None


def test_a_report_tells_levels_and_the_latency_in_nanoseconds(tmp_path: Path) -> None:
    net = network()
    folds = {units(net)[0].name: Fold(2, 8, levels=2)}
    report = build_report(net, folds, "KV260", 5.0, project_info={"io_type": "io_parallel"})
    facts = report.to_dict()
    assert "4 adders, 2 × 1 levels at most" in adders.text(facts["units"])
    latency = facts["summary"]["latency_cycles"]
    assert adders.duration(facts["summary"]["latency_us"]) == f"{5 * latency} ns"
    assert adders.duration(12.34) == "12.3 µs"
    assert f"{5 * latency} ns" in report.to_html(tmp_path / "r.html").read_text()
    assert adders.text([{"name": "a", "adder_graph": None}]) == ""

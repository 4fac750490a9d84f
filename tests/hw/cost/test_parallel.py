"""Estimates of io_parallel: every figure is a plain number, which report.json can hold."""

from __future__ import annotations

import json

import pytest

from hw.cost.network import estimate
from hw.dataflow.units import Fold, units
from hw.ir.graph import Network
from hw.ir.layers import Layer, Mac
from hw.report.model import build_report
from tests.support import random_graphs

NETWORKS = {name: Network(make(0)) for name, make in random_graphs.NETWORKS.items()}


def test_the_networks_have_every_kind_of_layer() -> None:
    kinds = {kind.__name__ for kind in [*Layer.__subclasses__(), *Mac.__subclasses__()]} - {"Mac"}
    assert {layer.kind for network in NETWORKS.values() for layer in network} == kinds


@pytest.mark.parametrize("name", NETWORKS)
def test_every_figure_is_a_plain_number(name: str) -> None:
    whole = estimate(NETWORKS[name], {}, io_type="io_parallel")
    for unit in whole.units:
        for part, resources in unit.parts.items():
            assert {type(value) for value in resources} <= {int, float}, (unit.name, part)
    assert {type(value) for value in whole.total} <= {int, float}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_the_report_is_written_as_json(name: str, io_type: str) -> None:
    network = NETWORKS[name]
    folds = {unit.name: Fold(1) for unit in units(network)}
    report = build_report(network, folds, "PYNQ-Z2", 5.0, project_info={"io_type": io_type})
    facts = json.loads(report.to_json())
    assert facts["summary"] == report.to_dict()["summary"]
    assert [unit["parts"] for unit in facts["units"]] == [unit["parts"] for unit in report.to_dict()["units"]]

"""Estimates of io_parallel: the unrolled circuits, and that every figure is a plain number that JSON can hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crq.hw.cost import parallel
from crq.hw.cost.constants import maxima
from crq.hw.cost.mac import mac_parts
from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format, Layer, Mac
from crq.hw.read.passes.argmax_last import argmax_last
from crq.hw.report.model import build_report
from tests.support import random_graphs
from tests.support.random_graphs import GraphBuilder

NETWORKS = {name: Network(make(0)) for name, make in random_graphs.NETWORKS.items()}
NETWORKS["u_net"] = Network(random_graphs.u_net(0))
NETWORKS["classes"] = Network(argmax_last(random_graphs.small_cnn(0))[0])


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


def unit_of(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[0]


def test_a_layer_is_one_unrolled_unit_per_pixel_without_the_padding() -> None:
    weights = np.random.default_rng(3).choice([-1, 1], (4, 2, 3, 3))
    g = GraphBuilder((2, 6, 6), "UINT4")
    inner = unit_of(g, g.threshold(g.conv("x", 4, weights=weights), 4))
    g = GraphBuilder((2, 6, 6), "UINT4")
    padded = unit_of(g, g.threshold(g.conv("x", 4, weights=weights, pads=(1, 1, 1, 1)), 4))
    lanes = mac_parts(inner, Fold(4, 18))["lanes"]
    assert parallel.parts(inner)["lanes"] == lanes.times(16)
    assert 0.6 * lanes.logic < parallel.parts(padded)["lanes"].logic / 36 < lanes.logic


def test_an_image_enters_in_every_cycle_and_nothing_is_a_block_of_memory() -> None:
    whole = estimate(NETWORKS["residual_net"], {}, io_type="io_parallel")
    assert whole.pipeline.interval == 1
    assert whole.total.bram18 == 0


def test_every_value_is_a_register() -> None:
    """5 channels of 3 x 2 pixels: codes in [0, 15] plus [-1, 5] are signed numbers of six bits."""
    g = GraphBuilder((5, 3, 2), "UINT4")
    parts = parallel.parts(unit_of(g, g.bias("x", np.array([-1, 2, 3, 4, 5]))))
    assert parts["registers"] == Resources(ff=5 * 6 * 6)
    assert parts["adders"] == Resources(logic=6 * (4 + 1 + 2 + 1 + 2))


def test_a_constant_costs_its_ones() -> None:
    """The bits above an unsigned number are known; those above a signed one are all its sign."""
    assert parallel.with_constant(Format(4, False), 5, 6) == 2
    assert parallel.with_constant(Format(4, False), -1, 6) == 4
    assert parallel.with_constant(Format(4, True), -1, 6) == 4
    assert parallel.with_constant(Format(4, True), 1, 5) == 1


def test_a_sign_that_stays_costs_nothing() -> None:
    g = GraphBuilder((3, 2, 2), "UINT4")
    unit = unit_of(g, g.negate("x", np.array([1, -1, 1])))
    total = Resources().plus(*parallel.parts(unit).values())
    assert total == Resources(logic=4 * 4, ff=4 * (4 + 5 + 4))


def test_a_pool_compares_what_lies_in_the_image() -> None:
    """Windows of 2 x 2 over 3 x 3 pixels padded above and to the left: one of 1 pixel, two of 2, one of 4."""
    g = GraphBuilder((2, 3, 3), "UINT4")
    parts = parallel.parts(unit_of(g, g.max_pool("x", (2, 2), (2, 2), (1, 1, 0, 0))))
    assert parts["lanes"].logic == 2 * (0 + 2 * maxima(2, 4) + maxima(4, 4))


@pytest.mark.parametrize("kind", ["shift", "concat"])
def test_wires_cost_nothing(kind: str) -> None:
    g = GraphBuilder((2, 2, 2), "UINT4")
    unit = unit_of(g, g.shift("x", 3) if kind == "shift" else g.concat("x", "x"))
    assert Resources().plus(*parallel.parts(unit).values()) == Resources()


def test_registers_in_which_branches_wait_are_priced_with_who_gives_them() -> None:
    """The image waits 2 cycles for two biases one after the other, and 2 more for a sum and a negation."""
    g = GraphBuilder((4, 2, 2), "UINT4")
    h = g.add(g.bias(g.bias("x", np.array([1, 2, 3, 0])), np.array([0, 1, 2, 3])), "x")
    network = Network(g.finish(g.add(g.negate(h, np.array([-1, 1, 1, 1])), "x")))
    first, second, *_, last = estimate(network, {}, io_type="io_parallel").units
    assert first.parts["delays"] == Resources(ff=4 * 16 * 4)
    assert "delays" not in second.parts
    assert last.parts["control"] == Resources(logic=1, ff=5)


def test_a_long_wait_is_memory_on_xilinx() -> None:
    x = NETWORKS["residual_net"].inputs[0]
    bits = x.shape.size * x.format.bits
    assert parallel.delay(x, [1, 5, 6]) == Resources(lutram=bits, ff=2 * bits)
    assert parallel.delay(x, [1, 5, 6], "ecp5") == Resources(ff=6 * bits)

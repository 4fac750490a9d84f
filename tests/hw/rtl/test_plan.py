"""An RTL project before it is written."""

from __future__ import annotations

import pytest

from crq.hw.dataflow.streams import pipeline
from crq.hw.dataflow.units import Fold, units
from crq.hw.dataflow.unrolled import pipeline as unrolled_pipeline
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.rtl.plan import make_plan
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_projects import small


def folds(network: Network) -> dict[str, Fold]:
    return {u.name: Fold(1, 1) for u in units(network)}


def test_a_stream_has_beats_and_the_cycles_of_the_model() -> None:
    network = Network(small())
    plan = make_plan(network, "io_stream", folds(network), "net", "xc7")
    assert (plan.inputs[0].beat, plan.outputs[0].beat) == (2, 1)  # a parallel window reads whole pixels
    assert plan.modules == {"conv1": "unit_conv1", "pool3": "unit_pool3", "fc5": "unit_fc5"}
    assert plan.pipeline == pipeline(network, folds(network))
    assert plan.design.top == "net"
    assert plan.design.family == "xc7"


def test_unrolled_an_image_is_a_beat() -> None:
    network = Network(small(flat=True))
    whole = {u.name: Fold(u.output.shape.c, u.fan_in, levels=3) for u in units(network)}
    plan = make_plan(network, "io_parallel", whole, "net", "ecp5")
    assert (plan.inputs[0].beat, plan.outputs[0].beat, plan.outputs[0].shape.pixels) == (50, 8, 4)
    assert (plan.levels, plan.pipeline) == (3, unrolled_pipeline(network, 3))


def test_names_of_the_file_are_kept_where_the_hardware_has_others() -> None:
    graph = small()
    graph.graph.node[0].name = "stem.conv"
    network = Network(graph)
    plan = make_plan(network, "io_stream", folds(network), "net", "xc7")
    assert plan.modules["stem.conv"] == "unit_stem_conv"
    assert set(plan.hardware_folds) == {"stem_conv", "pool3", "fc5"}
    assert [unit.name for unit, _ in plan.units()] == ["stem.conv", "pool3", "fc5"]


def test_what_cannot_be_is_refused() -> None:
    network = Network(small())
    with pytest.raises(HwError, match="io_type 'io_serial': expected one of io_stream, io_parallel"):
        make_plan(network, "io_serial", folds(network), "net", "xc7")
    with pytest.raises(HwError, match="a word of SystemVerilog"):
        make_plan(network, "io_stream", folds(network), "wire", "xc7")
    g = GraphBuilder((4, 2, 2), "UINT4")
    empty = Network(g.finish(g.flatten("x")))
    with pytest.raises(HwError, match="no layers"):
        make_plan(empty, "io_stream", {}, "net", "xc7")

"""The layers that hls4ml sees: one class per kind, shapes with channels last, the plan's streams as variables."""

from __future__ import annotations

import hls4ml
import pytest
from hls4ml.model.layers import Layer as HlsLayer
from hls4ml.model.layers import layer_map

from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.layers import CLASSES, LAYERS, class_name, hls_shape, precision
from crq.hw.hls.plan import Plan, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import KINDS, Flatten, Format
from tests.support.random_graphs import GraphBuilder, small_cnn


def plan_of(g: GraphBuilder, output: str) -> Plan:
    network = Network(g.finish(output))
    return make_plan(network, "io_stream", {u.name: Fold(1) for u in units(network)})


@pytest.mark.parametrize(("fmt", "text"), [(Format(5, True), "int<5>"), (Format(8, False), "uint<8>")])
def test_integers_in_hls4mls_words(fmt: Format, text: str) -> None:
    found = precision(fmt)
    assert (found.width, found.signed, found.fractional) == (fmt.bits, fmt.signed, 0)
    assert str(found) == text


def test_shapes_have_channels_last_and_vectors_one_dimension() -> None:
    g = GraphBuilder((3, 4, 5), "UINT4")
    plan = plan_of(g, g.global_sum(g.bias("x")))
    assert hls_shape(plan.inputs[0]) == [4, 5, 3]
    assert hls_shape(plan.outputs[0]) == [3]


def test_every_kind_of_unit_has_a_layer_that_no_stock_pass_knows() -> None:
    assert set(CLASSES) == set(KINDS) - {Flatten}
    stock = {layer for name, layer in layer_map.items() if not name.startswith("Crq")}
    for layer in LAYERS:
        assert issubclass(layer, HlsLayer)
        assert not set(layer.__mro__) - {HlsLayer} & stock


def test_a_process_is_named_by_its_layer_or_as_a_copy() -> None:
    g = GraphBuilder((2, 3, 3), "UINT4")
    assert [class_name(p) for p in plan_of(g, g.max_pool(g.add("x", "x"), (2, 2))).processes] == [
        "CrqCopy", "CrqAdd", "CrqBeats", "CrqMaxPool",
    ]  # fmt: skip


def test_variables_carry_the_plans_names_types_and_shapes(tmp_path) -> None:
    model = hls4ml.converters.convert_from_onnx_model(
        small_cnn(1), output_dir=str(tmp_path / "p"), project_name="net", backend="crq"
    )
    plan = model.crq_plan
    for process in plan.processes:
        layer = model.graph[process.name]
        assert class_name(process) in type(layer).__name__
        for name, stream in zip(layer.outputs, process.outputs, strict=True):
            variable = layer.variables[name]
            assert (variable.name, variable.type.name) == (stream.name, stream.type_name)
            assert list(variable.shape) == hls_shape(stream)
            assert variable.type.precision.width == stream.tensor.format.bits
            assert variable.type.precision.signed == stream.tensor.format.signed

"""A file in the form that both its evaluations take: nothing else than its type and spelling changes."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.verify.float64.evaluable import evaluable, file_images, file_inputs
from tests.support.legal_files import ACT, HEAD, LEGAL, model, tail
from tests.support.qonnx_files import base, graph_of, node, quant

PLAIN = [*HEAD, *ACT, *tail("q")]


def attributes(found: onnx.NodeProto) -> dict:
    return {a.name: helper.get_attribute_value(a) for a in found.attribute}


def ops(found: onnx.ModelProto) -> list[str]:
    return [n.op_type for n in found.graph.node]


@pytest.mark.parametrize(("element", "dtype"), [(TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64)])
def test_every_float_is_of_the_type_that_was_asked_for(element: int, dtype: type) -> None:
    constant = node("Constant", "", "k", value=numpy_helper.from_array(np.ones(3, np.float32)))
    count = np.array([1, 2, -1], np.int64)
    nodes = [
        quant("x", "xq", "qi"), constant, node("Add", "xq k", "z"), node("Reshape", "z n", "r"),
        node("Cast", "r", "y", to=TensorProto.FLOAT),
    ]  # fmt: skip
    found = evaluable(graph_of(nodes, {**base(), "n": count}, (1, 2, 3)), element)
    arrays = {i.name: numpy_helper.to_array(i) for i in found.graph.initializer}
    assert {a.dtype for name, a in arrays.items() if name != "n"} == {np.dtype(dtype)}
    assert arrays["n"].dtype == np.int64
    by_name = {n.op_type: attributes(n) for n in found.graph.node}
    assert by_name["Cast"]["to"] == element
    assert numpy_helper.to_array(by_name["Constant"]["value"]).dtype == dtype
    assert {v.type.tensor_type.elem_type for v in [*found.graph.input, *found.graph.output]} == {element}


def test_values_are_those_of_the_file_and_the_file_stays_as_it_was() -> None:
    source = model(PLAIN)
    before = source.SerializeToString()
    found = evaluable(source, TensorProto.DOUBLE)
    assert source.SerializeToString() == before
    for one, other in zip(source.graph.initializer, found.graph.initializer, strict=True):
        np.testing.assert_array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))
    assert ops(found) == ops(source)


def test_only_the_input_keeps_its_shape_and_is_one_image() -> None:
    source = model(PLAIN, shape=(7, 2, 6, 6))
    source.graph.value_info.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, [7, 5, 6, 6]))
    found = evaluable(source, TensorProto.FLOAT)
    assert [d.dim_value for d in file_inputs(found)[0].type.tensor_type.shape.dim] == [1, 2, 6, 6]
    assert not found.graph.value_info
    assert not found.graph.output[0].type.tensor_type.HasField("shape")


def test_constants_are_no_inputs() -> None:
    source = LEGAL["constants among the inputs"]
    assert len(source.graph.input) > 1
    assert [i.name for i in evaluable(source, TensorProto.FLOAT).graph.input] == ["x"]


def test_nodes_that_nothing_needs_are_left_out_and_the_rest_keeps_its_order() -> None:
    dead = [node("NoSuchOperator", "q", "dead"), node("Relu", "dead", "deader")]
    found = evaluable(model([*HEAD, *ACT, *dead, *tail("q")]), TensorProto.DOUBLE)
    assert ops(found) == [n.op_type for n in PLAIN]


def test_nodes_have_one_output() -> None:
    found = evaluable(LEGAL["statistics of training"], TensorProto.DOUBLE)
    assert {len(n.output) for n in found.graph.node} == {1}


def test_quantizers_are_written_out() -> None:
    """In one domain, with the attributes whose defaults qonnx leaves to the reader, and the rounding it knows."""
    bare = helper.make_node("Quant", ["c", "q1_s", "zero", "bits"], ["q"], domain="onnx.brevitas")
    found = evaluable(model([*HEAD, bare, *tail("q")]), TensorProto.DOUBLE)
    assert {n.domain for n in found.graph.node if n.op_type == "Quant"} == {"qonnx.custom_op.general"}
    assert attributes(found.graph.node[2]) == {"signed": 1, "narrow": 0, "rounding_mode": b"ROUND"}
    given = helper.make_node(
        "Quant", ["c", "q1_s", "zero", "bits"], ["q"], domain="onnx.brevitas", signed=0, narrow=1,
        rounding_mode="round_to_zero",
    )  # fmt: skip
    found = evaluable(model([*HEAD, given, *tail("q")]), TensorProto.DOUBLE)
    assert attributes(found.graph.node[2]) == {"signed": 0, "narrow": 1, "rounding_mode": b"DOWN"}


def test_the_standard_domain_has_one_name() -> None:
    nodes = [*HEAD, *ACT, *tail("q")]
    renamed = helper.make_node("Relu", ["c"], ["r"], domain="ai.onnx")
    nodes[len(HEAD)] = renamed
    assert evaluable(model(nodes), TensorProto.DOUBLE).graph.node[len(HEAD)].domain == ""


def test_every_domain_of_a_node_has_a_version() -> None:
    for name in ("ai.onnx", "qonnx channels last", "activation zero point"):
        found = evaluable(LEGAL[name], TensorProto.DOUBLE)
        versions = {o.domain: o.version for o in found.opset_import}
        assert len(versions) == len(found.opset_import)
        assert {n.domain for n in found.graph.node} <= versions.keys()
        assert versions[""] == 13
        assert "ai.onnx" not in versions


def test_images_are_the_values_that_quantize_to_the_codes() -> None:
    network = Network(read_qonnx(model(PLAIN)))
    codes = np.random.default_rng(0).integers(0, 16, (3, 2, 6, 6))
    found = list(file_images(evaluable(model(PLAIN), TensorProto.DOUBLE), network, codes))
    scale = np.float64(np.float32(0.07))
    for [image], expected in zip(found, codes, strict=True):
        assert image.shape == (1, 2, 6, 6)
        np.testing.assert_array_equal(np.rint(image[0] / scale), expected)


def test_images_of_a_channels_last_file_have_their_channels_last() -> None:
    source = LEGAL["NHWC input"]
    network = Network(read_qonnx(source))
    codes = np.random.default_rng(0).integers(0, 16, (2, 2, 6, 6))
    images = file_images(evaluable(source, TensorProto.DOUBLE), network, codes)
    found = np.concatenate([image for [image] in images])
    assert found.shape == (2, 6, 6, 2)
    np.testing.assert_array_equal(np.rint(found / np.float64(np.float32(0.07))), codes.transpose(0, 2, 3, 1))

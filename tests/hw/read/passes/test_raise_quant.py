"""Div → Clip → Round → Mul is a Quant again, where its bounds are those of one; other chains stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from crq.hw.ir.graph import Network
from crq.hw.read.passes.raise_quant import raise_quant
from tests.support.qonnx_files import CONV, IN, TAIL, assert_equal_to_file, base, conv, graph_of, node


def file(low: float, high: float, extra: list[NodeProto] | None = None, scale: str = "s") -> ModelProto:
    nodes = [
        node("Div", "x s", "a", "div"), node("Clip", "a low high", "b"), node("Round", "b", "c"),
        node("Mul", f"c {scale}", "y", "mul"), *(extra or []),
    ]  # fmt: skip
    constants = {"s": 0.25, "s2": 0.25, "low": low, "high": high}
    proto = graph_of(nodes, {k: np.float32(v) for k, v in constants.items()}, shape=(1, 40))
    proto.ir_version = 8
    return proto


def operators(proto: ModelProto) -> list[str]:
    return [n.op_type for n in proto.graph.node]


def values(proto: ModelProto) -> np.ndarray:
    x = np.linspace(-40, 40, 40, dtype=np.float32)[None]
    x[0, :6] = [0.125, 0.375, -0.125, -0.375, 1e6, -1e6]  # ties and far outside
    return execute_onnx(ModelWrapper(proto).transform(InferShapes()), {"x": x})["y"]


@pytest.mark.parametrize(
    ("low", "high", "bits", "signed", "narrow"),
    [
        (0, 1, 1, 0, 0), (-2, 1, 2, 1, 0), (-1, 1, 2, 1, 1), (0, 3, 2, 0, 0), (0, 2, 2, 0, 1), (-8, 7, 4, 1, 0),
        (0, 15, 4, 0, 0), (-128, 127, 8, 1, 0), (-127, 127, 8, 1, 1), (0, 255, 8, 0, 0), (0, 254, 8, 0, 1),
    ],
)  # fmt: skip
def test_a_chain_becomes_the_quant_of_its_bounds_with_the_same_values(low, high, bits, signed, narrow) -> None:
    proto = file(low, high)
    wanted = values(proto)
    raised = raise_quant(proto)
    assert operators(raised) == ["Quant"]
    (made,) = raised.graph.node
    attributes = {a.name: helper.get_attribute_value(a) for a in made.attribute}
    assert attributes == {"signed": signed, "narrow": narrow, "rounding_mode": b"ROUND"}
    assert (made.input[0], made.input[1], made.output[0], made.name) == ("x", "s", "y", "mul")
    assert ModelWrapper(raised).get_initializer(made.input[3]) == bits
    assert ModelWrapper(raised).get_initializer(made.input[2]) == 0
    np.testing.assert_array_equal(values(raised), wanted)


@pytest.mark.parametrize(("low", "high"), [(0, 5), (-1, 7), (-8, 8), (0.5, 3), (0, 511), (-1, 0)])
def test_bounds_of_no_quant_stay(low: float, high: float) -> None:
    assert operators(raise_quant(file(low, high))) == ["Div", "Clip", "Round", "Mul"]


def test_two_scales_stay() -> None:
    """Equal in value, but two constants: the pass compares names, and what it leaves is read as it is written."""
    assert operators(raise_quant(file(0, 3, scale="s2"))) == ["Div", "Clip", "Round", "Mul"]


@pytest.mark.parametrize("tensor", ["a", "b", "c"])
def test_a_chain_whose_inner_value_something_else_reads_stays(tensor: str) -> None:
    other = node("Neg", tensor, "other")
    assert operators(raise_quant(file(0, 3, [other]))) == ["Div", "Clip", "Round", "Mul", "Neg"]


def test_bounds_that_are_no_constants_or_missing_stay() -> None:
    proto = file(0, 3)
    proto.graph.initializer.remove(next(i for i in proto.graph.initializer if i.name == "low"))
    assert operators(raise_quant(proto)) == ["Div", "Clip", "Round", "Mul"]
    proto = file(0, 3)
    del proto.graph.node[1].input[1:]
    assert operators(raise_quant(proto)) == ["Div", "Clip", "Round", "Mul"]


def test_other_nodes_keep_their_order_and_the_result_may_have_many_readers() -> None:
    proto = file(0, 3, [node("Neg", "y", "z1"), node("Relu", "y", "z2")])
    assert operators(raise_quant(proto)) == ["Quant", "Neg", "Relu"]


def chain(x: str, y: str, scale: str, low: str, high: str) -> list[NodeProto]:
    """A quantizer in standard operators, without node names."""
    return [
        node("Div", f"{x} {scale}", f"{y}_a"),
        node("Clip", f"{y}_a {low} {high}", f"{y}_b"),
        node("Round", f"{y}_b", f"{y}_c"),
        node("Mul", f"{y}_c {scale}", y),
    ]


def test_unnamed_quantizers_in_standard_operators_keep_their_own_bits(tmp_path: Path) -> None:
    bounds = {"low": np.float32(0), "three": np.float32(3), "fifteen": np.float32(15), "s2": np.float32(0.9)}
    weights = {"w5": np.random.default_rng(0).integers(-1, 2, (5, 5, 3, 3)).astype(np.float32)}
    first, second = chain("c", "q2", "q1_s", "low", "three"), chain("d", "q", "s2", "low", "fifteen")
    nodes = [IN, CONV, *first, conv("q2 w5", "d", "conv2"), *second, *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | bounds | weights), tmp_path))
    assert [int(layer.output.hi.max()) for layer in network if type(layer).__name__ == "Threshold"][:2] == [3, 15]


def test_a_clip_to_several_numbers_is_no_quantizer() -> None:
    proto = file(0, 15)
    ends = next(n for n in proto.graph.node if n.op_type == "Clip").input[1:]
    for tensor in proto.graph.initializer:
        if tensor.name in ends:
            tensor.CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), tensor.name))
    assert "Clip" in operators(raise_quant(proto))

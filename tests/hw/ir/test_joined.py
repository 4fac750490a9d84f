"""Files with several inputs become files with one for each size, which mean the same."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from crq.hw.ir.joined import JOINED, join


def file(shapes: dict[str, list[int]], opset: int = 13) -> ModelProto:
    """An output, its negative, for each input."""
    nodes = [helper.make_node("Neg", [name], [f"y_{name}"]) for name in shapes]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    outputs = [helper.make_tensor_value_info(f"y_{name}", TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


@pytest.mark.parametrize("opset", [11, 13])
def test_the_joined_file_gives_the_same(opset: int) -> None:
    model = file({"a": [1, 2, 3, 4], "b": [1, 5, 3, 4]}, opset)
    ends = join(model)
    assert (ends.inputs, ends.outputs) == (("a", "b"), ("y_a", "y_b"))
    assert ends.ports == {JOINED: (("a", 2), ("b", 5))}
    x = np.random.default_rng(0).normal(size=(1, 7, 3, 4)).astype(np.float32)
    found = ReferenceEvaluator(model).run(None, {JOINED: x})
    np.testing.assert_array_equal(np.concatenate(found, axis=1), -x)


def test_one_of_each_is_left_alone() -> None:
    model = file({"a": [1, 2]})
    before = model.SerializeToString()
    assert join(model) == (("a",), ("y_a",), {"a": (("a", 2),)})
    assert model.SerializeToString() == before


def test_each_size_has_a_port_in_the_order_of_its_first() -> None:
    shapes = {"a": [1, 2, 3, 4], "v": [1, 3], "b": [1, 2, 4, 3], "c": [1, 1, 3, 4], "w": [1, 5], "s": [1, 3, 4]}
    model = file(shapes)
    ends = join(model)
    assert ends.inputs == tuple(shapes)
    assert list(ends.ports.values()) == [(("a", 2), ("c", 1)), (("v", 3), ("w", 5)), (("b", 2),), (("s", 3),)]
    assert [i.name for i in model.graph.input] == list(ends.ports)
    rng = np.random.default_rng(0)
    given = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
    feed = {name: rng.normal(size=shape).astype(np.float32) for name, shape in given.items()}
    found = dict(zip(ends.outputs, ReferenceEvaluator(model).run(None, feed), strict=True))
    for port, names in ends.ports.items():
        together = np.concatenate([found[f"y_{name}"] for name, _ in names], axis=1)
        np.testing.assert_array_equal(together, -feed[port])


def test_inputs_of_integers_share_no_port() -> None:
    model = file({"a": [1, 2], "b": [1, 2], "c": [1, 2]})
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.INT8
    assert list(join(model).ports.values()) == [(("a", 2), ("c", 2)), (("b", 2),)]

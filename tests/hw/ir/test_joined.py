"""Files with several inputs and outputs become files with one of each, which mean the same."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from crq.hw.ir.joined import INPUT, OUTPUT, join


def file(a: list[int], b: list[int], opset: int = 13) -> ModelProto:
    nodes = [helper.make_node("Neg", ["a"], ["y"]), helper.make_node("Abs", ["b"], ["z"])]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("a", a), ("b", b), ("y", a), ("z", b))]
    graph = helper.make_graph(nodes, "g", ends[:2], ends[2:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


@pytest.mark.parametrize("opset", [11, 13])
def test_the_joined_file_gives_the_same(opset: int) -> None:
    model = file([1, 2, 3, 4], [1, 5, 3, 4], opset)
    ends = join(model)
    assert (ends.inputs, ends.outputs, ends.unlike) == ((("a", 2), ("b", 5)), ("y", "z"), "")
    x = np.random.default_rng(0).normal(size=(1, 7, 3, 4)).astype(np.float32)
    [found] = ReferenceEvaluator(model).run([OUTPUT], {INPUT: x})
    np.testing.assert_array_equal(found, np.concatenate([-x[:, :2], np.abs(x[:, 2:])], axis=1))


def test_one_of_each_is_left_alone() -> None:
    model = file([1, 2], [1, 2])
    del model.graph.input[1:], model.graph.output[1:], model.graph.node[1:]
    before = model.SerializeToString()
    assert join(model) == ((), ("y",), "")
    assert model.SerializeToString() == before


def test_inputs_of_other_sizes_are_told() -> None:
    model = file([1, 2, 3, 4], [1, 2, 4, 3])
    before = model.SerializeToString()
    assert join(model).unlike == "'a' [1, 2, 3, 4], 'b' [1, 2, 4, 3]"
    assert model.SerializeToString() == before

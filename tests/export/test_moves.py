"""Steps that move integers, as operators that onnxruntime computes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from crq.convert import moved
from crq.convert.step import Step
from crq.export.moves import MOVES, Writing

STEPS = {
    "channels": moved.Channels([2, 0, 3]),
    "zeros": moved.Channels([-1, 2, -1, 0, -1]),
    "slice": moved.Slice([1, 0], [6, 7], [2, 3]),
    "pad": moved.Pad([[1, 0], [2, 3]]),
    "enlarge": moved.Enlarge([2, 3]),
    "shuffle": moved.Shuffle(2),
    "unshuffle": moved.Unshuffle(2, 8),
    "row": moved.Row(True),
    "no row": moved.Row(False),
    "transpose": moved.Transpose([0, 3, 1, 2]),
    "flatten": moved.Flatten(),
}
SHAPES = {"row": (2, 8, 1, 7), "no row": (2, 8, 7)}


def test_every_kind_is_tried() -> None:
    assert set(MOVES) == {type(step) for step in STEPS.values()}


@pytest.mark.parametrize("opset", [13, 25])
@pytest.mark.parametrize("name", STEPS)
def test_onnxruntime_moves_as_the_step_does(name: str, opset: int) -> None:
    step: Step = STEPS[name]
    x = torch.randint(-9, 9, SHAPES.get(name, (2, 8, 6, 8)), generator=torch.Generator().manual_seed(0))
    expected = step(x).numpy()
    nodes, initializers = [], {}

    def node(operator: str, name: str, *inputs: str, **attributes) -> str:
        nodes.append(helper.make_node(operator, list(inputs), [f"{name}_out"], name, **attributes))
        return f"{name}_out"

    def constant(name: str, values: np.ndarray) -> str:
        initializers[name] = numpy_helper.from_array(values, name)
        return name

    result = MOVES[type(step)](Writing(node, constant, expected.ndim), "a", step, "x")
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, expected.shape)], list(initializers.values()),
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset == 13 else 13
    )
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    assert np.array_equal(session.run(None, {"x": x.numpy().astype(np.float32)})[0], expected)

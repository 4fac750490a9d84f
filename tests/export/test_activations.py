"""The operators that a function is written as compute it, in onnxruntime."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from crq.convert.activations import FUNCTIONS, Activation
from crq.export.activations import SPELLINGS

CONSTANTS = {
    "LeakyRelu": (0.1,), "PRelu": ((0.1, 0.5, 0.0),), "Clip": (-1.0, 2.0), "HardSigmoid": (1 / 6, 0.5), "Elu": (0.7,),
    "Celu": (1.3,), "Selu": (1.67, 1.05), "HardSwish": (1 / 6, 0.5), "Gelu": (0.5**0.5,), "GeluTanh": (0.044715, 0.798),
}  # fmt: skip


def test_every_function_has_a_spelling() -> None:
    assert set(SPELLINGS) == set(FUNCTIONS)


@pytest.mark.parametrize("kind", SPELLINGS)
def test_the_file_computes_the_formula(kind: str) -> None:
    nodes, initializers = [], []

    def node(op: str, *inputs: str, **attributes: float) -> str:
        nodes.append(helper.make_node(op, list(inputs), [f"n{len(nodes)}"], **attributes))
        return str(nodes[-1].output[0])

    def constant(values, scalar: bool = False) -> str:
        array = np.asarray(values, np.float32).reshape([] if scalar else [-1, 1])
        initializers.append(numpy_helper.from_array(array, f"c{len(initializers)}"))
        return str(initializers[-1].name)

    constants = CONSTANTS.get(kind, ())
    result = SPELLINGS[kind](node, constant, "x", *(np.atleast_1d(c).tolist() for c in constants))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3, 101]) for name in ("x", result)]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    x = np.linspace(-6, 6, 303, dtype=np.float32).reshape(3, 101)
    found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    assert np.allclose(found, Activation(kind, constants)(x.astype(np.float64)), rtol=1e-5, atol=1e-6)

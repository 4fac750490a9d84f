"""QONNX files made by hand, and the check that the integer graph and its C simulation equal the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_values
from crq.hw.ir.vectors import random_codes
from crq.hw.project import build
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values, load_network
from crq.hw.verify.float32 import float_execution
from crq.hw.verify.link import Link
from tests.support.float64_file import evaluate


def graph_of(nodes, initializers: dict, shape=(1, 2, 6, 6), opset: int = 13, output="y") -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in initializers.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("qonnx.custom_op.general", 1)]
    return helper.make_model(graph, opset_imports=opsets)


def node(op: str, inputs: str, output: str, name: str = "", **attributes: object):
    """One ONNX node; inputs separated by blanks."""
    custom = op in ("Quant", "IntQuant", "BipolarQuant", "MultiThreshold")
    domain = "qonnx.custom_op.general" if custom else ""
    return helper.make_node(op, inputs.split(), [output], name, domain=domain, **attributes)


def conv(inputs: str, output: str, name: str = "", size: int = 3, pad: int = 0, **attributes: object):
    square = {"kernel_shape": [size] * 2, "pads": [pad] * 4, "strides": [1, 1], "dilations": [1, 1], "group": 1}
    return node("Conv", inputs, output, name, **{**square, **attributes})


def quant(x: str, y: str, name: str, bits: str = "bits", signed: int = 0):
    return helper.make_node(
        "Quant", [x, f"{name}_s", "zero", bits], [y], name, domain="qonnx.custom_op.general",
        signed=signed, narrow=0, rounding_mode="ROUND",
    )  # fmt: skip


def base(seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    return {
        "zero": np.float32(0),
        "bits": np.float32(4),
        "qi_s": np.float32(0.07),
        "q1_s": np.float32(0.31),
        "w": rng.integers(-1, 2, (5, 2, 3, 3)).astype(np.float32),
        "f": (rng.integers(-1, 2, (5, 3)) * 0.37).astype(np.float32),
        "g": rng.normal(size=(1, 5, 1, 1)).astype(np.float32),
        "b": rng.normal(size=(1, 5, 1, 1)).astype(np.float32),
        "v": rng.uniform(0.5, 2, (1, 5, 1, 1)).astype(np.float32),
    }


IN = quant("x", "xq", "qi")
CONV = conv("xq w", "c", "conv", pad=1)
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]
TAIL = [
    node("GlobalAveragePool", "q", "p", "gap"),
    quant("p", "pq", "q1"),
    node("Flatten", "pq", "fl"),
    node("MatMul", "fl f", "y", "fc"),
]


def run(model: ModelWrapper, codes: np.ndarray) -> np.ndarray:
    """The integer graph's results for input codes (N, …), by qonnx."""
    name, result = model.graph.input[0].name, model.graph.output[0].name
    outputs = [execute_onnx(model, {name: c[None].astype(np.float32)})[result] for c in codes]
    return np.concatenate(outputs).astype(np.int64)


def codes(graph: ModelWrapper, count: int, seed: int = 0) -> np.ndarray:
    network = Network(graph)
    shape = graph.get_tensor_shape(graph.graph.input[0].name)[1:]
    lo, hi = (end.reshape(-1, *[1] * (len(shape) - 1)) for end in (network.inputs[0].lo, network.inputs[0].hi))
    rng = np.random.default_rng(seed)
    ends = [np.broadcast_to(end, (1, *shape)) for end in (lo, hi)]
    return np.concatenate([*ends, rng.integers(lo, hi + 1, (count, *shape))])


def assert_graph_equals_file(proto: ModelProto, count: int = 40) -> ModelWrapper:
    """Integer graph, executed by qonnx, = the file evaluated in float64 (integers × scale + offset)."""
    graph = read_qonnx(proto)
    x = codes(graph, count)
    network = Network(graph)
    values = to_values(network, x.reshape(-1, *network.inputs[0].shape)).reshape(x.shape)
    runs = evaluate(proto, values)
    expected = np.concatenate([runs[o.name] for o in proto.graph.output], axis=1)
    scale, offset = network.scores[0].scale.astype(np.float64), network.scores[0].offset
    integers = run(graph, x)
    per_channel = (-1, *[1] * (integers.ndim - 2))
    found = integers * (scale.reshape(per_channel) if scale.ndim else scale)
    found += offset.reshape(per_channel) if offset.ndim else offset
    # One integer apart would be one unit of the output scale; float32 scales are exact to 1e-7 of it.
    np.testing.assert_allclose(found.reshape(len(x), -1), expected.reshape(len(x), -1), rtol=1e-5, atol=1e-6)
    return graph


def assert_equal_to_file(proto: ModelProto, folder: Path, io_type: str = "io_stream", count: int = 40) -> ModelWrapper:
    """`assert_graph_equals_file`, and C simulation = integer graph."""
    graph = assert_graph_equals_file(proto, count)
    x = codes(graph, count)
    project = build(proto, folder / "project", io_type=io_type)
    np.testing.assert_array_equal(project.integers(x).reshape(len(x), -1), run(graph, x).reshape(len(x), -1))
    return graph


def in_float32(proto: ModelProto, folder: Path, count: int = 40) -> Link:
    """The file's own float32 execution against the integer graph, on random codes."""
    onnx.save(proto, folder / "m.onnx")
    network = load_network(folder / "m.onnx")
    x = random_codes(network, count)
    return float_execution(folder / "m.onnx", network, x, layer_values(network, x))

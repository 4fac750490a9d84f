"""Files with several inputs and outputs."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper

from tests.support.qonnx_files import base, conv, graph_of, node, quant

RNG = np.random.default_rng(2)


def ternary(*shape: int) -> np.ndarray:
    return (RNG.integers(-1, 2, shape) * 0.5).astype(np.float32)


def both(proto: ModelProto, name: str, shape: tuple[int, ...], output: str | None = None) -> ModelProto:
    """With one more input, and output."""
    proto.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape]))
    if output is not None:
        proto.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    return proto


def images(opset: int = 13) -> ModelProto:
    """An image and a map of other scale, offset and sign; scores per pixel and a map of codes."""
    nodes = [
        quant("x", "xq", "qi"), node("Mul", "z two", "zm"), node("Add", "zm one", "za"),
        quant("za", "zq", "q1", signed=1),
        conv("xq w", "c1", "left", pad=1), conv("zq wz", "c2", "right", pad=1), quant("c1", "a1", "q1", signed=1),
        quant("c2", "a2", "q1", signed=1), node("Add", "a1 a2", "sum"), conv("sum w2", "y", "scores", size=1),
        conv("sum w3", "c3", "codes", size=1), quant("c3", "codes_out", "qi", signed=1),
    ]  # fmt: skip
    constants = base() | {"wz": ternary(5, 1, 3, 3), "two": np.float32(2), "one": np.float32(0.62),
                          "w2": ternary(2, 5, 1, 1), "w3": ternary(3, 5, 1, 1)}  # fmt: skip
    return both(graph_of(nodes, constants, opset=opset), "z", (1, 6, 6), "codes_out")


def vectors() -> ModelProto:
    """Two heads with biases on what two vectors give."""
    nodes = [quant("x", "xq", "qi"), quant("u", "uq", "q1", signed=1), node("MatMul", "xq m1", "h1", "of_x"),
             node("MatMul", "uq m2", "h2", "of_u"), quant("h1", "k1", "q1", signed=1),
             quant("h2", "k2", "q1", signed=1), node("Concat", "k1 k2", "k", axis=1),
             node("MatMul", "k m3", "s", "one"),
             node("Add", "s bias", "y"), node("MatMul", "k m4", "other", "two")]  # fmt: skip
    constants = base() | {"m1": ternary(6, 4), "m2": ternary(3, 5), "m3": ternary(9, 3), "m4": ternary(9, 2),
                          "bias": RNG.normal(size=3).astype(np.float32)}  # fmt: skip
    return both(graph_of(nodes, constants, shape=(1, 6)), "u", (3,), "other")

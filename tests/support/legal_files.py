"""Small files that are right and legal, each with something that an evaluation can get wrong."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes

from crq.hw.read.rounding import MODES
from tests.support.qonnx_files import CONV, base, conv, graph_of, node, quant

RNG = np.random.default_rng(3)
HEAD = [quant("x", "xq", "qi"), CONV]
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]


def tail(x: str) -> list:
    """GlobalAveragePool → q9 → Flatten → MatMul."""
    return [
        node("GlobalAveragePool", x, "p"), quant("p", "pq", "q9", signed=1), node("Flatten", "pq", "fl"),
        node("MatMul", "fl f", "y", "fc"),
    ]  # fmt: skip


def model(nodes: list, shape=(1, 2, 6, 6), opset: int = 13, **constants: object) -> onnx.ModelProto:
    return graph_of(nodes, base() | {"q9_s": np.float32(0.31)} | constants, shape=shape, opset=opset)


def mode(x: str, y: str, name: str, rounding: str, zero: str = "zero", scale: str = "q1_s"):
    return node("Quant", f"{x} {scale} {zero} bits", y, name, signed=1, narrow=0, rounding_mode=rounding)


def pool(**attributes: object):
    return node("MaxPool", "q", "m", "mp", **attributes)


def ai_onnx(proto: onnx.ModelProto) -> onnx.ModelProto:
    proto.opset_import[0].domain = "ai.onnx"
    return proto


def constants_first(proto: onnx.ModelProto) -> onnx.ModelProto:
    listed = [helper.make_tensor_value_info(i.name, i.data_type, list(i.dims)) for i in proto.graph.initializer]
    given = list(proto.graph.input)
    del proto.graph.input[:]
    proto.graph.input.extend([*listed, *given])
    return proto


def doubles(proto: onnx.ModelProto, *names: str) -> onnx.ModelProto:
    for tensor in proto.graph.initializer:
        if tensor.name in names:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    return proto


def channels_last(proto: onnx.ModelProto) -> onnx.ModelProto:
    return ModelWrapper(proto).transform(InferShapes()).transform(ConvertToChannelsLastAndClean()).model


NORM = helper.make_node("BatchNormalization", list("cstmu"), ["n", "o1", "o2", "o3", "o4"], "bn")
LEGAL = {
    "activation zero point": model(
        [*HEAD, node("Quant", "c q1_s z3 bits", "q", "act", signed=0, narrow=0), *tail("q")], z3=np.float32(3)
    ),
    "conv SAME_UPPER": model(
        [HEAD[0], node("Conv", "xq w", "c", "conv", auto_pad="SAME_UPPER", strides=[2, 2]), *ACT, *tail("q")]
    ),
    "conv VALID": model([HEAD[0], node("Conv", "xq w", "c", "conv", auto_pad="VALID"), *ACT, *tail("q")]),
    "pool SAME_LOWER": model(
        [*HEAD, *ACT, pool(auto_pad="SAME_LOWER", kernel_shape=[3, 3], strides=[2, 2]), *tail("m")]
    ),
    "pool of uneven pads": model([*HEAD, *ACT, pool(pads=[1, 0, 1, 1], kernel_shape=[2, 2]), *tail("m")]),
    "1-D pool": model(
        [HEAD[0], node("Conv", "xq w1", "c", "conv", pads=[1, 1]), *ACT]
        + [pool(pads=[1, 0], kernel_shape=[2], strides=[1]), *tail("m")],
        shape=(1, 2, 9), w1=RNG.integers(-1, 2, (5, 2, 3)).astype(np.float32),
    ),
    "pool before its quantizer": model(
        [*HEAD, node("MaxPool", "c", "m", "mp", pads=[1] * 4, kernel_shape=[3, 3], strides=[1, 1])]
        + [quant("m", "q", "q1", signed=1), *tail("q")]
    ),
    "NHWC input": model(
        [quant("x", "xt", "qi"), node("Transpose", "xt", "xq", perm=[0, 3, 1, 2]), CONV, *ACT, *tail("q")],
        shape=(1, 6, 6, 2),
    ),
    "NHWC input flattened before its quantizer": model(
        [node("Transpose", "x", "xt", perm=[0, 3, 1, 2]), node("Flatten", "xt", "xf"), quant("xf", "xq", "qi")]
        + [node("MatMul", "xq d", "y", "fc")],
        shape=(1, 3, 3, 2), d=RNG.integers(-1, 2, (18, 3)).astype(np.float32),
    ),
    "qonnx channels last": channels_last(
        model(
            [*HEAD, quant("c", "q", "q1", signed=1), pool(kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)]
            + tail("m")
        )
    ),
    "output flattened from pixels": model([*HEAD, *ACT, node("Flatten", "q", "y", "fl")]),
    "output with a scale per channel": model(
        [HEAD[0], node("Quant", "w ws zero b2", "wq", signed=1, narrow=1), conv("xq wq", "y", "conv", pad=1)],
        ws=RNG.uniform(0.2, 0.9, (5, 1, 1, 1)).astype(np.float32), b2=np.float32(2),
    ),
    "output with a class of gain 0": model(
        [*HEAD, *ACT, *tail("q")[:-1], node("MatMul", "fl f", "yy", "fc"), node("Mul", "yy gain", "yz")]
        + [node("Add", "yz shift", "y")],
        gain=np.array([1, 0, 0.5], np.float32), shift=np.array([0, 0.3, 0.1], np.float32),
    ),
    "no narrow attribute": model([*HEAD, node("Quant", "c q1_s zero bits", "q", "act", signed=1), *tail("q")]),
    "axes in falling order": model(
        [*HEAD, *ACT, *tail("q")[:2], node("Squeeze", "pq", "fl", axes=[3, 2]), tail("q")[-1]], opset=11
    ),
    "statistics of training": model(
        [*HEAD, NORM, quant("n", "q", "q1", signed=1), *tail("q")], opset=11,
        **{name: RNG.uniform(0.5, 1.5, 5).astype(np.float32) for name in "stmu"},
    ),
    "ai.onnx": ai_onnx(model([*HEAD, *ACT, *tail("q")])),
    "constants among the inputs": constants_first(model([*HEAD, *ACT, *tail("q")])),
    "double weights": doubles(model([*HEAD, *ACT, *tail("q")]), "w", "f"),
    "DequantizeLinear at opset 13": model(
        [HEAD[0], node("DequantizeLinear", "w8 ws", "wq", axis=0), conv("xq wq", "c", "conv", pad=1), *ACT, *tail("q")],
        ws=RNG.uniform(0.2, 0.9, 5).astype(np.float32), w8=RNG.integers(-1, 2, (5, 2, 3, 3)).astype(np.int8),
    ),
    "nodes that nothing needs": model([*HEAD, *ACT, node("NoSuchOperator", "q", "dead"), *tail("q")]),
    "weights rounded in float64": model(
        [HEAD[0], node("Quant", "wf ws zero bits", "wq", signed=1, narrow=1), conv("xq wq", "c", "conv", pad=1)]
        + [*ACT, *tail("q")],
        ws=np.float32(0.1), wf=RNG.choice([0.35, -0.35, 0.05, 0.25, 0], (5, 2, 3, 3)).astype(np.float32),
    ),
    **{
        f"rounding {name}": model([*HEAD, mode("c", "q", "act", name), *tail("q")]) for name in MODES
    },
}  # fmt: skip

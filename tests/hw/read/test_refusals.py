"""What the reader refuses: each documented slug has its file here, and the document is generated from the code."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import CONV, assert_equal_to_file, base, conv, graph_of, node, quant
from tests.support.wide_files import wide_dense


def _with(nodes, shape=(1, 2, 6, 6), **changes):
    return graph_of(nodes, base() | changes, shape=shape)


def _two_sizes() -> ModelProto:
    proto = _with([quant("x", "xq", "qi"), conv("xq w", "y")])
    proto.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 2, 3, 3]))
    return proto


def _elsewhere() -> ModelProto:
    proto = _with([quant("x", "xq", "qi"), conv("xq w", "y")])
    weights = next(t for t in proto.graph.initializer if t.name == "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="weights.bin")
    return proto


HEAD = [quant("x", "xq", "qi"), CONV]
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]
CHANNELS_LAST = node("MaxPool", "q", "y", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
CHANNELS_LAST.domain = "qonnx.custom_op.channels_last"
WQ = {"signed": 1, "narrow": 1}
rng = np.random.default_rng(0)
REFUSED = {
    "unsupported-op": _with([*HEAD, node("Sin", "c", "y", "sin")]),
    "external": _elsewhere(),
    "qoperator": _with([*HEAD, node("ConvInteger", "c w", "y", "ci")]),
    "between-linear": _with([*HEAD, node("QuantizeLinear", "c q1_s", "q"), node("Relu", "q", "y", "r")]),
    "activation": _with([*HEAD, node("LeakyRelu", "c", "r", alpha=-1.0), quant("r", "y", "q1")]),
    "turning": _with(
        [*HEAD, node("Pow", "c three", "r"), node("Sub", "r c", "s"), quant("s", "y", "q1", signed=1)],
        three=np.float32(3),
        q1_s=np.float32(0.02),
    ),
    "not-quantized": _with([*HEAD, node("Mul", "c g", "m"), conv("m w5", "y", size=1)], w5=np.ones((1, 5, 1, 1), "f4")),
    "input-not-quantized": _with([conv("x w", "y")]),
    "input-quantizer": _with([node("BipolarQuant", "x q1_s", "q"), conv("q w", "y")]),
    "pad": _with(
        [quant("x", "xq", "qi"), node("Pad", "xq pp", "xp", mode="reflect"), conv("xp w", "y")], pp=np.ones(8, "i8")
    ),
    "weights-not-integers": _with([*HEAD, node("Identity", "c", "y")], w=rng.normal(size=(5, 2, 3, 3)).astype("f4")),
    "per-channel-activation": _with(
        [*HEAD, quant("c", "q", "q1"), conv("q w5", "y", size=1)],
        q1_s=np.arange(1, 6, dtype="f4").reshape(1, 5, 1, 1),
        w5=np.ones((1, 5, 1, 1), "f4"),
    ),
    "activation-bits": _with([*HEAD, quant("c", "y", "q1", "wide", 1)], wide=np.float32(17)),
    "progression": _with(
        [*HEAD, node("Sigmoid", "c", "s"), quant("s", "y", "fine", "wide")],
        wide=np.float32(16),
        fine_s=np.float32(2**-16),
    ),
    "zero-point": _with([quant("x", "y", "qi")], zero=np.float32(0.5)),
    "general-scales": _with(
        [*HEAD, quant("c", "a", "q1", signed=1), quant("c", "d", "qi", signed=1), node("Add", "a d", "y", "add")]
    ),
    "spatial-constant": _with([*HEAD, node("Mul", "c m", "y", "mul")], m=np.ones((1, 1, 6, 6), "f4")),
    "ceil-mode": _with([*HEAD, *ACT, node("MaxPool", "q", "y", kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1)]),
    "exclude-pad": _with([*HEAD, *ACT, node("AveragePool", "q", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])]),
    "resize": _with(
        [*HEAD, *ACT, node("Resize", "q none up", "y", mode="linear")],
        none=np.zeros(0, "f4"),
        up=np.array([1, 1, 2, 2], "f4"),
    ),
    "several": _two_sizes(),
    "pool-dilation": _with([*HEAD, *ACT, node("MaxPool", "q", "y", kernel_shape=[2, 2], dilations=[2, 2])]),
    "reshape": _with([*HEAD, *ACT, node("Reshape", "q to", "y")], to=np.array([1, 5, 36])),
    "output": _with([*HEAD, node("Elu", "c", "y")]),
    "head": _with([*HEAD, node("ArgMax", "c", "y", axis=2)]),
    "channels-last": _with([*HEAD, *ACT, CHANNELS_LAST]),
    "dynamic-parameter": _with([*HEAD, conv("xq c", "y", size=6)]),
    "not-finite": _with([*HEAD, node("Mul", "c m", "y")], m=np.float32(np.inf)),
    "weight-zero-point": _with(
        [quant("x", "xq", "qi"), node("Quant", "w qi_s one bits", "wq", **WQ), conv("xq wq", "y")], one=np.float32(1)
    ),
    "weight-scale": _with(
        [quant("x", "xq", "qi"), node("Quant", "w ws zero bits", "wq", **WQ), conv("xq wq", "y")],
        ws=np.array([1, 2], "f4").reshape(1, 2, 1, 1),
    ),
    "too-many-steps": _with(
        [*HEAD, node("MultiThreshold", "c t", "y", "mt", out_dtype="UINT16")], t=np.arange(5000, dtype="f4")[None]
    ),
    "rounding-mode": _with([*HEAD, node("Quant", "c q1_s zero bits", "y", signed=1, rounding_mode="STOCHASTIC")]),
    "too-large": _with([*HEAD, *ACT, node("Flatten", "q", "y")], shape=(1, 2, 2**20, 2**20)),
    "per-feature": _with(
        [
            quant("x", "xq", "qi"),
            node("Flatten", "xq", "one"),
            node("Flatten", "xq", "two"),
            node("Add", "one two", "m"),
        ]
        + [node("MatMul", "m f1200", "y")],
        shape=(1, 2, 30, 20),
        f1200=np.ones((1200, 2), "f4"),
    ),
    "no-vector": _with([*HEAD, *ACT, node("MatMul", "q shared", "y", "points")], shared=np.ones((6, 4), "f4")),
    "integer-graph": read_qonnx(wide_dense()).model,
    "malformed": _with([*HEAD, conv("xq w", "y", "neg", pads=[-1, 0, 0, 0])]),
}


@pytest.mark.parametrize("slug", REFUSED)
def test_each_documented_refusal(slug: str) -> None:
    with pytest.raises(HwError, match=rf"\[{slug}\]"):
        read_qonnx(REFUSED[slug])


@pytest.mark.parametrize("first", [("BipolarQuant", "x q1_s", {}), ("MultiThreshold", "x t", {"out_dtype": "UINT2"})])
def test_a_threshold_on_the_input_wants_codes(first, tmp_path) -> None:
    """On float inputs it is refused with the way out, which works: an annotated input is thresholded in hardware."""
    op, inputs, attributes = first
    proto = _with([node(op, inputs, "q", "first", **attributes), conv("q w", "y")], t=np.array([[2, 5, 9]], "f4"))
    with pytest.raises(HwError, match=r"'first'.*put a Quant before it.*set_tensor_datatype \[input-quantizer\]"):
        read_qonnx(proto)
    model = ModelWrapper(proto)
    model.set_tensor_datatype("x", DataType["INT5"])
    graph = assert_equal_to_file(model.model, tmp_path)
    assert [n.op_type for n in graph.graph.node] == ["MultiThreshold", "Conv"]


def test_every_refusal_has_its_test() -> None:
    from crq.hw.read.refusals import REFUSALS

    assert set(REFUSALS) == set(REFUSED) | {"range", "argmax"}  # which have tests of their own

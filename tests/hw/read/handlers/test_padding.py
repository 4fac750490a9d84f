"""Pad: zeros around an image become padding of the convolutions behind it; what is no such Pad is refused."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    TAIL,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    codes,
    conv,
    graph_of,
    node,
    quant,
    run,
)

HEAD = quant("x", "xq", "qi", signed=1)
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]
PADS = np.array([0, 0, 1, 0, 0, 0, 2, 3])


@pytest.mark.parametrize(
    ("inputs", "constants", "attributes", "opset"),
    [
        ("xq pp", {"pp": PADS}, {}, 13),
        ("xq pp zero", {"pp": PADS}, {"mode": "constant"}, 11),
        ("xq", {}, {"pads": PADS.tolist(), "mode": "constant", "value": 0.0}, 9),
        ("xq pp zero axes", {"pp": np.array([1, 0, 2, 3]), "axes": np.array([-2, 3])}, {}, 18),
    ],
)
def test_pad_becomes_padding_of_the_convolution(inputs: str, constants, attributes, opset: int, tmp_path) -> None:
    pad = node("Pad", inputs, "xp", "pad", **attributes)
    nodes = [HEAD, pad, conv("xp w", "c", "conv", pad=1), *ACT, *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | constants, opset=opset), tmp_path))
    assert network.layers[0].name == "conv"
    assert network["conv"].pads == (2, 1, 3, 4)
    assert network.layers[0].input is network.inputs[0]


def test_pad_before_other_operators_stays_and_is_exact(tmp_path) -> None:
    """A pool and a convolution read the padded image: negative codes lose against the zeros of a Pad."""
    nodes = [
        HEAD,
        node("Pad", "xq pp", "xp", "pad"),
        node("MaxPool", "xp", "m", "pool", kernel_shape=[2, 2], strides=[1, 1]),
        conv("m w", "c", "conv"),
        conv("xp w", "d", "other"),
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        quant("d", "e", "q1"),
        node("GlobalAveragePool", "q", "g1"),
        node("GlobalAveragePool", "e", "g2"),
        quant("g1", "h1", "q1"),
        quant("g2", "h2", "q1"),
        node("Add", "h1 h2", "h"),
        quant("h", "pq", "q1"),
        node("Flatten", "pq", "fl"),
        node("MatMul", "fl f", "y", "fc"),
    ]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | {"pp": PADS}), tmp_path))
    assert network["pad"].multiplier_free
    assert network["other"].pads == (1, 0, 2, 3)
    assert network["conv"].pads == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("attributes", "constants"),
    [
        ({"mode": "reflect"}, {"pp": PADS}),
        ({"mode": "edge"}, {"pp": PADS}),
        ({}, {"pp": PADS, "zero_": np.float32(1)}),
        ({}, {"pp": np.array([1, 0, 0, 0, 0, 0, 0, 0])}),
        ({}, {"pp": np.array([0, 0, -6, 0, 0, 0, 0, 0])}),
    ],
)
def test_other_pads_are_refused(attributes, constants) -> None:
    pad = node("Pad", "xq pp zero_" if "zero_" in constants else "xq pp", "xp", "pad", **attributes)
    with pytest.raises(HwError, match=r"'pad' \(Pad\).*\[pad\]"):
        read_qonnx(graph_of([HEAD, pad, conv("xp w", "y")], base() | constants))


ANY = {
    "channels of zeros, as in shortcuts without weights": [0, 2, 0, 0, 0, 3, 0, 0],
    "channels and pixels": [0, 0, 1, 0, 0, 1, 0, 2],
    "pixels cut off": [0, 0, -1, 0, 0, 0, 0, -2],
    "cut off and added": [0, 0, -1, 2, 0, 0, 1, 0],
    "later pixels only": [0, 0, 0, 0, 0, 0, 3, 3],
}


@pytest.mark.parametrize("name", ANY)
def test_zeros_in_any_place(name: str) -> None:
    pads = np.array(ANY[name])
    w = np.random.default_rng(0).integers(-1, 2, (3, 2 + pads[1] + pads[5], 3, 3)).astype(np.float32)
    nodes = [HEAD, node("Pad", "xq pp", "xp", "pad"), conv("xp w3", "y")]
    assert_graph_equals_file(graph_of(nodes, base() | {"pp": pads, "w3": w}), count=5)


def test_a_shortcut_of_every_second_pixel_and_more_channels() -> None:
    """Option A of ResNet: one convolution of single ones."""
    constants = base() | {
        "first": np.array([0, 0]), "last": np.array([99, 99]), "over": np.array([2, 3]), "step": np.array([2, 2]),
        "pp": np.array([0, 1, 0, 0, 0, 2, 0, 0]), "w2": np.ones((5, 2, 3, 3), np.float32)}  # fmt: skip
    nodes = [HEAD, node("Slice", "xq first last over step", "s"), node("Pad", "s pp", "short", "pad"),
             conv("xq w2", "c", "conv", pad=1, strides=[2, 2]), quant("c", "q", "qi", signed=1),
             node("Add", "q short", "y")]  # fmt: skip
    network = Network(assert_graph_equals_file(graph_of(nodes, constants), count=5))
    assert sorted(layer.kind for layer in network) == ["Add", "Conv", "Conv", "Threshold"]


def test_zeros_in_front_of_the_first_quantizer_are_zeros_behind_it() -> None:
    nodes = [node("Pad", "x pp", "xp", "pad"), quant("xp", "xq", "qi", signed=1), conv("xq w", "y", "conv")]
    network = Network(assert_graph_equals_file(graph_of(nodes, base() | {"pp": PADS}), count=5))
    assert [layer.name for layer in network] == ["conv"]
    assert network.inputs[0].shape == (2, 6, 6)


def test_zeros_that_arithmetic_on_the_input_would_change_are_refused() -> None:
    nodes = [node("Pad", "x pp", "xp", "pad"), node("Add", "xp one", "xa", "add"), quant("xa", "xq", "qi", signed=1),
             conv("xq w", "y", "conv")]  # fmt: skip
    with pytest.raises(HwError, match=r"'add' \(Add\).*behind its zeros.*\[pad\]"):
        read_qonnx(graph_of(nodes, base() | {"pp": PADS, "one": np.float32(1)}))


def test_zeros_in_front_of_a_quantizer_are_zeros_of_the_sum_if_that_has_no_bias() -> None:
    def file(*more):
        head = [HEAD, conv("xq w", "c", "conv", pad=1), *more, node("Pad", "r pp", "p", "pad"), quant("p", "y", "q1")]
        return graph_of(head, base() | {"pp": PADS, "one": np.float32(1)})

    assert_graph_equals_file(file(node("Relu", "c", "r")), count=5)
    with pytest.raises(HwError, match=r"'pad' \(Pad\).*\[not-quantized\]"):
        read_qonnx(file(node("Add", "c one", "r")))


def test_malformed_pads_are_refused() -> None:
    nodes = [HEAD, node("Pad", "xq pp", "xp", "pad"), conv("xp w", "y")]
    with pytest.raises(HwError, match=r"'pad' \(Pad\).*\[malformed\]"):
        read_qonnx(graph_of(nodes, base() | {"pp": np.array([1, 2, 3])}))


def test_a_pad_of_nothing_is_no_layer() -> None:
    nodes = [HEAD, node("Pad", "xq pp", "xp", "pad"), conv("xp w", "y", "conv")]
    network = Network(read_qonnx(graph_of(nodes, base() | {"pp": np.zeros(8, np.int64)})))
    assert [layer.name for layer in network] == ["conv"]


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
@pytest.mark.parametrize(
    ("op", "size", "stride"),
    [("Conv", (2, 3), 1), ("Conv", (4, 1), 2), ("Conv", (2, 3), 3), ("MaxPool", (2, 3), 1), ("MaxPool", (4, 2), 2)],
)
def test_auto_pad_is_what_onnxruntime_makes_of_it(op: str, auto_pad: str, size: tuple[int, int], stride: int) -> None:
    weights = np.random.default_rng(stride).integers(-1, 2, (3, 2, *size)).astype(np.float32)
    attributes = {"auto_pad": auto_pad, "kernel_shape": list(size), "strides": [stride] * 2}
    inputs = "xq w" if op == "Conv" else "xq"
    constants = {"zero": np.float32(0), "bits": np.float32(4), "qi_s": np.float32(1)} | (
        {"w": weights} if op == "Conv" else {}
    )
    nodes = [quant("x", "xq", "qi", signed=1), node(op, inputs, "y", **attributes)]
    graph = read_qonnx(graph_of(nodes, constants, shape=(1, 2, 7, 6)))
    x = codes(graph, 10)
    alone = helper.make_graph(
        [node(op, inputs, "y", **attributes)],
        "alone",
        [helper.make_tensor_value_info("xq", TensorProto.FLOAT, [None, 2, 7, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")] if op == "Conv" else [],
    )
    model = helper.make_model(alone, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (expected,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"xq": x.astype(np.float32)})
    np.testing.assert_array_equal(run(graph, x), expected)

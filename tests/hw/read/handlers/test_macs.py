"""Conv, MatMul and Gemm: geometry, scales, bias and alpha as the file in float64; what contradicts itself is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    ACT,
    CONV,
    IN,
    TAIL,
    assert_equal_to_file,
    assert_graph_equals_file,
    base,
    graph_of,
    node,
    quant,
)  # fmt: skip

RNG = np.random.default_rng(7)


def ternary(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (RNG.integers(-1, 2, shape) * np.float32(scale)).astype(np.float32)


GEOMETRIES = {
    "stride and dilation": (ternary(3, 2, 2, 3), {"strides": [2, 1], "dilations": [1, 2], "pads": [1, 0, 2, 1]}),
    "groups": (ternary(4, 1, 3, 3), {"group": 2}),
    "depthwise with two outputs each": (ternary(6, 1, 2, 2), {"group": 2}),
    "no attributes": (ternary(3, 2, 3, 3), {}),
    "one scale per output": (ternary(3, 2, 3, 3) * np.array([0.3, 2, 0.7], "f4").reshape(3, 1, 1, 1), {}),
}


@pytest.mark.parametrize("case", GEOMETRIES)
@pytest.mark.parametrize("bias", [False, True])
def test_a_convolution_is_the_file_in_float64(case: str, bias: bool) -> None:
    weights, attributes = GEOMETRIES[case]
    made = node("Conv", "xq w bias" if bias else "xq w", "c", "conv", **attributes)
    constants = {"w": weights} | ({"bias": RNG.normal(size=len(weights)).astype(np.float32)} if bias else {})
    proto = graph_of([IN, made, quant("c", "y", "q1", signed=1)], base() | constants, shape=(1, 2, 7, 6))
    network = Network(assert_graph_equals_file(proto, count=10))
    assert network["conv"].multiplier_free


def test_signals_of_one_dimension() -> None:
    made = node("Conv", "xq w", "c", "conv", pads=[2, 0], strides=[3])
    proto = graph_of([IN, made, quant("c", "y", "q1", signed=1)], base() | {"w": ternary(3, 2, 4)}, shape=(1, 2, 11))
    network = Network(assert_graph_equals_file(proto, count=10))
    assert (network["conv"].kernel, network["conv"].stride, network["conv"].pads) == ((1, 4), (1, 3), (0, 2, 0, 0))


def test_a_depthwise_convolution_repeats_each_scale_of_its_input_for_its_outputs() -> None:
    nodes = [IN, CONV, quant("c", "q", "per", signed=1), node("Conv", "q dw", "d", "dw", group=5)]
    constants = {"per_s": RNG.uniform(0.1, 0.5, (1, 5, 1, 1)).astype(np.float32), "dw": ternary(10, 1, 3, 3)}
    assert_graph_equals_file(graph_of([*nodes, quant("d", "y", "q1", signed=1)], base() | constants), count=10)


@pytest.mark.parametrize(
    "made",
    [
        node("MatMul", "xq a", "m", "fc"),
        node("Gemm", "xq a", "m", "fc"),
        node("Gemm", "xq at bias", "m", "fc", transB=1),
        node("Gemm", "xq a bias", "m", "fc", alpha=0.3, beta=0.7),
        node("Gemm", "xq a one", "m", "fc", alpha=-2.0),
    ],
    ids=lambda n: f"{n.op_type} {[a.name for a in n.attribute]}",
)
def test_a_matrix_product_is_the_file_in_float64(made) -> None:
    a = ternary(6, 4) * np.array([0.5, 0.3, 1, 2], np.float32)
    constants = {"a": a, "at": a.T.copy(), "bias": RNG.normal(size=4).astype(np.float32), "one": np.float32([1.5])}
    nodes = [quant("x", "xq", "qi", signed=1), made, quant("m", "y", "q1", signed=1)]
    assert_graph_equals_file(graph_of(nodes, base() | constants, shape=(1, 6)), count=20)


def test_weights_through_a_quant_with_one_scale_per_column() -> None:
    nodes = [quant("x", "xq", "qi", signed=1), node("Quant", "a ws zero two", "aq", signed=1, narrow=1)]
    constants = {"a": RNG.normal(size=(6, 4)).astype(np.float32), "ws": np.array([[0.5, 0.3, 1, 2]], np.float32)}
    nodes += [node("MatMul", "xq aq", "m", "fc"), quant("m", "y", "q1", signed=1)]
    proto = graph_of(nodes, base() | constants | {"two": np.float32(2)}, shape=(1, 6))
    assert Network(assert_graph_equals_file(proto, count=20))["fc"].weight_type == "TERNARY"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (node("Conv", "xq w1", "y", "n"), r"weights of 3 dimensions on an input of shape \(2, 6, 6\)"),
        (node("Conv", "xq w", "y", "n", group=2), r"weights \(5, 2, 3, 3\) with group=2 on 2 channels"),
        (node("Conv", "xq w", "y", "n", group=0), r"with group=0"),
        (node("Conv", "xq w five", "y", "n"), r"a bias of shape \(4,\) for 5 channels"),
        (node("Conv", "xq w", "y", "n", strides=[0, 1]), r"strides \[0, 1\]"),
        (node("MatMul", "xq b", "y", "n"), r"weights \(5, 4\) on an input of shape \(2, 6, 6\)"),
        (node("MatMul", "fl a", "y", "n"), r"6 weight rows for 72 inputs"),
        (node("Gemm", "fl a", "y", "n", transA=1), r"transA=1 is not supported"),
        (node("MatMul", "a fl", "y", "n"), r"a constant times an activation"),
    ],
)
def test_what_contradicts_itself_is_named(made, message: str) -> None:
    constants = {"w1": ternary(5, 2, 3), "five": np.ones(4, np.float32), "a": ternary(6, 4), "b": ternary(5, 4)}
    nodes = [IN, node("Flatten", "xq", "fl"), made]
    with pytest.raises(HwError, match=rf"'n' \({made.op_type}\): .*{message}"):
        read_qonnx(graph_of(nodes, base() | constants))


def test_a_bias_that_is_infinite_is_named() -> None:
    made = node("Conv", "xq w bias", "y", "n")
    with pytest.raises(HwError, match=r"'n' \(Conv\): .*\[not-finite\]"):
        read_qonnx(graph_of([IN, made], base() | {"bias": np.full(5, np.inf, np.float32)}))


def test_gemm_scales_its_bias_in_float64(tmp_path: Path) -> None:
    """5 · 0.1f is 0.5 only in float32: there the quantizer's ties would round the other way."""
    dense = {"wg": np.random.default_rng(2).integers(-1, 2, (6, 4)), "bg": np.full(4, 0.1), "q1_s": 1, "qi_s": 1}
    constants = base() | {k: np.asarray(v, np.float32) for k, v in dense.items()}
    nodes = [quant("x", "xq", "qi", signed=1), node("Gemm", "xq wg bg", "m", "gemm", beta=5.0)]
    assert_equal_to_file(graph_of([*nodes, quant("m", "y", "q1", signed=1)], constants, shape=(1, 6)), tmp_path)


def test_a_kernel_shape_that_contradicts_the_weights_is_refused() -> None:
    nodes = [IN, node("Conv", "xq w", "c", "conv", kernel_shape=[5, 5]), *ACT, *TAIL]
    with pytest.raises(HwError, match=r"kernel_shape \[5, 5\] with weights of shape \(5, 2, 3, 3\).*\[malformed\]"):
        read_qonnx(graph_of(nodes, base()))

"""Pools and Concat: as the file in float64, on codes and before their quantizer; what is not exact is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.qonnx_files import (
    CONV,
    IN,
    TAIL,
    assert_graph_equals_file,
    base,
    conv,
    graph_of,
    node,
    quant,
)  # fmt: skip

SIGNED = quant("c", "q", "q1", signed=1)
OUT = quant("m", "y", "q2", signed=1)


def file(*nodes, shape=(1, 2, 6, 6), **constants: object):
    return graph_of([IN, CONV, *nodes], base() | {"q2_s": np.float32(0.11)} | constants, shape=shape)


@pytest.mark.parametrize(
    "made",
    [
        node("MaxPool", "q", "m", "pool", kernel_shape=[2, 2]),
        node("MaxPool", "q", "m", "pool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 2, 1]),
        node("MaxPool", "q", "m", "pool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("AveragePool", "q", "m", "pool", kernel_shape=[3, 2], strides=[3, 2]),
        node("AveragePool", "q", "m", "pool", kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
        node("GlobalAveragePool", "q", "m", "pool"),
        node("ReduceMean", "q", "m", "pool", axes=[2, 3]),
        node("ReduceMean", "q", "m", "pool", axes=[-1, -2], keepdims=0),
    ],
    ids=lambda n: f"{n.op_type} {len(n.attribute)}",
)
def test_a_pool_of_codes_is_the_file_in_float64(made) -> None:
    """Of negative codes too, where the zeros of padding would win a maximum."""
    assert_graph_equals_file(file(SIGNED, made, OUT), count=10)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_maximum_before_a_quantizer_follows_the_sign_of_its_gain(sign: int) -> None:
    """With a negative gain the greatest value comes from the least sum."""
    gain = sign * np.array([1, -2, 0.5, -1, 3], np.float32).reshape(1, 5, 1, 1)
    pool = node("MaxPool", "s", "m", "pool", kernel_shape=[2, 2], strides=[2, 2])
    assert_graph_equals_file(file(node("Mul", "c gain", "s"), pool, OUT, gain=gain), count=10)


def test_a_global_pool_is_a_sum_and_the_division_waits_for_the_quantizer() -> None:
    network = Network(read_qonnx(file(SIGNED, node("GlobalAveragePool", "q", "m", "gap"), OUT)))
    assert [layer.kind for layer in network] == ["Conv", "Threshold", "GlobalSum", "Threshold"]
    # the mean of 36 codes of 0.31 each, in units of 0.11: code 1 begins where sum · 0.31 / 36 / 0.11 passes 1/2
    scale, unit = float(np.float32(0.31)), float(np.float32(0.11))
    first = next(n for n in range(1000) if round(n * scale / 36 / unit) >= 1)
    assert network["q2"].thresholds[0, 8] == first  # qmin is -8: the ninth threshold begins code 1


@pytest.mark.parametrize("axis", [1, -3])
def test_concatenation_aligns_its_operands(axis: int) -> None:
    other = quant("c", "e", "q2", signed=1)
    cat = [node("Concat", "q e", "cat", "cat", axis=axis), conv("cat w10", "y", "conv2")]
    weights = np.random.default_rng(3).integers(-1, 2, (3, 10, 3, 3)).astype(np.float32)
    proto = file(SIGNED, other, *cat, w10=weights, q2_s=np.float32(0.62))
    network = Network(assert_graph_equals_file(proto, count=10))
    assert [layer.bits for layer in network if layer.kind == "Shift"] == [1]
    assert network["cat"].output.shape.c == 10


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (node("MaxPool", "q", "y", "n", kernel_shape=[2]), r"kernel_shape \[2\] on an input of shape \(5, 6, 6\)"),
        (node("MaxPool", "q", "y", "n", kernel_shape=[2, 2], pads=[2, 0, 0, 0]), r"pads \[2, 0, 0, 0\] reach beyond"),
        (node("MaxPool", "q", "y", "n", kernel_shape=[2, 2], dilations=[2, 1]), r"\[pool-dilation\]"),
        (node("MaxPool", "q", "y", "n", kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1), r"\[ceil-mode\]"),
        (node("AveragePool", "q", "y", "n", kernel_shape=[2, 2], pads=[1, 0, 0, 0]), r"\[exclude-pad\]"),
        (node("AveragePool", "c", "y", "n", kernel_shape=[2, 2], pads=[1, 0, 0, 0]), r"\[exclude-pad\]"),
        (node("ReduceMean", "q", "y", "n", axes=[1, 2, 3]), r"ReduceMean over axes \[1, 2, 3\]; expected all pixels"),
        (node("ReduceMean", "q", "y", "n", axes=[2]), r"ReduceMean over axes \[2\]; expected all pixels"),
        (node("Concat", "q w", "y", "n", axis=1), r"concatenation with a constant"),
        (node("Concat", "q q", "y", "n", axis=2), r"concatenation over axis 2 of"),
    ],
)
def test_what_is_not_exact_is_named(made, message: str) -> None:
    with pytest.raises(HwError, match=rf"'n' \({made.op_type}\): .*{message}"):
        read_qonnx(file(SIGNED, made))


def test_a_mean_over_everything_is_no_global_pool() -> None:
    with pytest.raises(HwError, match=r"ReduceMean over axes \[\].*\[unsupported-op\]"):
        read_qonnx(graph_of([quant("x", "xq", "qi"), node("ReduceMean", "xq", "y")], base(), shape=(1, 6)))


def test_unused_optional_outputs_and_folded_dequantization(tmp_path: Path) -> None:
    constants = base() | {"codes": np.random.default_rng(4).integers(-1, 2, (5, 2, 3, 3)).astype(np.int8)}
    pool = helper.make_node("MaxPool", ["q2"], ["q", ""], "pool", kernel_shape=[2, 2])
    nodes = [IN, node("DequantizeLinear", "codes q1_s", "wd"), conv("xq wd", "c", "conv"), node("Relu", "c", "r")]
    graph = read_qonnx(graph_of([*nodes, quant("r", "q2", "q1"), pool, *TAIL], constants))
    assert Network(graph)["conv"].multiplier_free


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"kernel_shape": [2**40] * 2}, rf"a window of \[{2**40}, {2**40}\] does not fit its input of \[6, 6\]"),
        ({"kernel_shape": [7, 2]}, r"a window of \[7, 2\] does not fit its input of \[6, 6\]"),
        ({"kernel_shape": [2**40] * 2, "auto_pad": "SAME_UPPER"}, r"check the shapes.*\[too-large\]"),
        ({"kernel_shape": [2**20] * 2, "pads": [2**19] * 4}, r"check the shapes.*\[too-large\]"),
        ({"kernel_shape": [2, 2], "strides": [1]}, r"strides \[1\] and dilations \[1, 1\] over 2 dimensions"),
        ({"kernel_shape": [2, 2], "strides": [0, 1]}, r"strides \[0, 1\]"),
    ],
)
def test_windows_that_do_not_fit_are_refused_before_anything_is_made(op: str, attributes: dict, message: str) -> None:
    made = node(op, "q", "m", "pool", **{"count_include_pad": 1} | attributes if op == "AveragePool" else attributes)
    with pytest.raises(HwError, match=f"'pool'.*{message}"):
        read_qonnx(file(SIGNED, made, OUT))


@pytest.mark.parametrize(
    ("op", "before"),
    [("GlobalMaxPool", True), ("GlobalMaxPool", False), ("ReduceMax", True), ("ReduceMax", False), ("ReduceSum", True)],
)
def test_pools_over_all_pixels(op: str, before: bool) -> None:
    """Behind the codes of a quantizer, or `before` is false, on sums that wait for one."""
    axes = {} if op == "GlobalMaxPool" else {"keepdims": 1} | ({"axes": [2, 3]} if op == "ReduceMax" else {})
    inputs = " axes" if op == "ReduceSum" else ""
    scaled = [node("Mul", "c g", "m")]
    nodes = [
        *scaled,
        quant("m", "q", "q1", signed=1),
        node(op, f"q{inputs}", "p", **axes),
        quant("p", "y", "q1", signed=1),
    ]
    if not before:
        nodes = [*scaled, node(op, f"m{inputs}", "p", **axes), quant("p", "y", "q1", signed=1)]
    constants = base() | ({"axes": np.array([2, 3])} if inputs else {})
    assert_graph_equals_file(graph_of([IN, CONV, *nodes], constants), count=10)

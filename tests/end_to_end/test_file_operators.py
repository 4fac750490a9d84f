"""Operators and attributes that other exporters write, one by one: auto_pad, Clip, Dropout."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hw.errors import HwError
from hw.ir.graph import Network
from hw.read import read_qonnx
from tests.hw.read.test_reader import run
from tests.support.qonnx_files import CONV, TAIL, assert_equal_to_file, base, codes, graph_of, node, quant

HEAD = [quant("x", "xq", "qi"), CONV]


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


@pytest.mark.parametrize(
    ("inputs", "attributes", "opset"),
    [
        ("c low high", {}, 13),
        ("c low high", {}, 11),
        ("c", {"min": 0.25, "max": 1.5}, 9),
    ],
)
def test_clip_before_a_quantizer(inputs: str, attributes: dict, opset: int, tmp_path) -> None:
    """Bounds off the quantizer's grid, as ReLU6's are, at both ends of its range."""
    nodes = [*HEAD, node("Clip", inputs, "r", **attributes), quant("r", "q", "q1"), *TAIL]
    bounds = {"low": np.float32(0.25), "high": np.float32(1.5)} if not attributes else {}
    graph = assert_equal_to_file(graph_of(nodes, base() | bounds, opset=opset), tmp_path)
    threshold = Network(graph)["q1"]
    assert (int(threshold.output.lo.min()), int(threshold.output.hi.max())) == (1, 5)  # rint(0.25 / 0.31), 1.5 / 0.31


def test_clip_with_one_bound(tmp_path) -> None:
    nodes = [*HEAD, helper.make_node("Clip", ["c", "", "high"], ["r"]), quant("r", "q", "q1", signed=1), *TAIL]
    graph = read_qonnx(graph_of(nodes, base() | {"high": np.float32(1)}))
    both = [*HEAD, node("Clip", "c low high", "r"), quant("r", "q", "q1", signed=1), *TAIL]
    same = read_qonnx(graph_of(both, base() | {"low": np.float32(-1e30), "high": np.float32(1)}))
    assert graph.graph.SerializeToString(deterministic=True) == same.graph.SerializeToString(deterministic=True)
    assert int(Network(graph)["q1"].output.hi.max()) == 3


def test_clip_that_is_empty_is_refused() -> None:
    nodes = [*HEAD, node("Clip", "c high low", "r", "clip"), quant("r", "y", "q1")]
    with pytest.raises(HwError, match=r"'clip'.*clip to \[1.0, -1.0\].*\[malformed\]"):
        read_qonnx(graph_of(nodes, base() | {"low": np.float32(-1), "high": np.float32(1)}))


@pytest.mark.parametrize(
    ("inputs", "attributes", "opset"),
    [("r", {"ratio": 0.3}, 9), ("r ratio", {}, 13), ("r ratio training", {}, 13)],
)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_dropout_does_nothing(place: str, inputs: str, attributes: dict, opset: int) -> None:
    constants = {"ratio": np.float32(0.3), "training": np.array(False)}
    used = {k: v for k, v in constants.items() if k in inputs.split()}
    if place == "behind":
        middle = [quant("c", "r", "q1"), node("Dropout", inputs, "q", "drop", **attributes)]
    else:
        middle = [node("Relu", "c", "r"), node("Dropout", inputs, "d", "drop", **attributes), quant("d", "q", "q1")]
    plain = [quant("c", "q", "q1")] if place == "behind" else [node("Relu", "c", "r"), quant("r", "q", "q1")]
    with_dropout = read_qonnx(graph_of([*HEAD, *middle, *TAIL], base() | used, opset=opset))
    without = read_qonnx(graph_of([*HEAD, *plain, *TAIL], base(), opset=opset))
    assert [n.op_type for n in with_dropout.graph.node] == [n.op_type for n in without.graph.node]
    x = codes(without, 20)
    np.testing.assert_array_equal(run(with_dropout, x), run(without, x))


def test_dropout_in_training_mode_is_refused() -> None:
    nodes = [*HEAD, quant("c", "q", "q1"), node("Dropout", "q ratio training", "y", "drop")]
    constants = base() | {"ratio": np.float32(0.3), "training": np.array(True)}
    with pytest.raises(HwError, match=r"'drop'.*training mode.*\[unsupported-op\]"):
        read_qonnx(graph_of(nodes, constants))

"""Float operators between a sum and its quantizer, residual sums, Clip, Dropout: as the file in float64, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from tests.support.float64_file import evaluate
from tests.support.qonnx_files import (
    ACT,
    CONV,
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
)  # fmt: skip

HEAD = [quant("x", "xq", "qi"), CONV]
NORM = {k: np.random.default_rng(i).uniform(0.5, 1.5, 5).astype(np.float32) for i, k in enumerate("stmu")}


@pytest.mark.parametrize(
    "operators",
    [
        [node("Mul", "c g", "r")],
        [node("Mul", "g c", "r")],
        [node("Div", "c g", "r")],
        [node("Add", "b c", "r")],
        [node("Sub", "c b", "r")],
        [node("Sub", "b c", "r")],
        [node("Sub", "b c", "r0"), node("Mul", "r0 g", "r1"), node("Relu", "r1", "r")],
        [node("BatchNormalization", "c s t m u", "r", epsilon=0.125)],
        [node("BatchNormalization", "c g5 t m u", "r")],
        [node("Identity", "c", "r0"), node("Relu", "r0", "r")],
        [node("Neg", "c", "r0"), node("Mul", "r0 g", "r")],
    ],
    ids=lambda nodes: " ".join(f"{n.op_type}({n.input[0]})" for n in nodes),
)
def test_operators_before_a_quantizer_are_the_file_in_float64(operators: list) -> None:
    nodes = [*HEAD, *operators, quant("r", "y", "q1", signed=1)]
    constants = base() | NORM | {"g5": base()["g"].reshape(-1)}
    graph = assert_graph_equals_file(graph_of(nodes, constants), count=10)
    assert Network(graph).layers[-1].kind == "Threshold"


def test_a_relu_on_codes_that_are_never_negative_is_no_layer() -> None:
    nodes = [*HEAD, *ACT, node("Relu", "q", "q2"), conv("q2 w2", "y", "conv2")]
    graph = assert_graph_equals_file(graph_of(nodes, base() | {"w2": np.ones((1, 5, 3, 3), np.float32)}), count=5)
    assert [layer.kind for layer in Network(graph)] == ["Conv", "Threshold", "Conv"]


def branches(scale: float, *more, **constants: object):
    """Two quantized branches of one convolution, the second on `scale`."""
    nodes = [*HEAD, quant("c", "a", "qa", signed=1), quant("c", "d", "qb", signed=1), *more]
    scales = {"qa_s": np.float32(0.25), "qb_s": np.float32(scale)}
    return graph_of(nodes, base() | scales | constants)


@pytest.mark.parametrize(("scale", "shifts"), [(0.25, []), (1.0, [2]), (0.0625, [2])])
def test_a_residual_sum_is_on_the_finer_scale(scale: float, shifts: list[int]) -> None:
    for operator in ("Add", "Sub"):
        proto = branches(scale, node(operator, "a d", "s", "sum"), quant("s", "y", "q1", signed=1))
        network = Network(assert_graph_equals_file(proto, count=10))
        assert [layer.bits for layer in network if layer.kind == "Shift"] == shifts
        assert network["sum"].kind == "Add"
        assert [layer.kind for layer in network].count("Negate") == (operator == "Sub")


@pytest.mark.parametrize("scale", [0.75, 0.3, np.nextafter(np.float32(0.5), np.float32(1))])
def test_scales_that_are_no_power_of_two_apart_are_refused(scale: float) -> None:
    with pytest.raises(HwError, match=r"'add' \(Add\): operand scales \[0.25, .*\[general-scales\]"):
        read_qonnx(branches(scale, node("Add", "a d", "s", "add"), quant("s", "y", "q1", signed=1)))


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (node("Mul", "a d", "y", "n"), r"Mul of two activations has no multiplier-free form.*\[unsupported-op\]"),
        (node("Div", "one a", "y", "n"), r"a constant divided by an activation.*\[unsupported-op\]"),
        (node("Div", "a zero", "y", "n"), r"division by zero.*\[not-finite\]"),
        (
            node("BatchNormalization", "a s t m u", "y", "n", training_mode=1),
            r"batch norm in training mode.*\[unsupported-op\]",
        ),
        (node("BatchNormalization", "a s t m minus", "y", "n"), r"a variance is not positive.*\[not-finite\]"),
        (node("Add", "a pooled", "y", "n"), r"operands of shapes \(5, 6, 6\) and \(5, 3, 3\).*\[malformed\]"),
    ],
)
def test_what_has_no_exact_form_is_named(operator, message: str) -> None:
    pool = node("MaxPool", "d", "pooled", kernel_shape=[2, 2], strides=[2, 2])
    constants = NORM | {"one": np.float32(1), "minus": -np.ones(5, np.float32)}
    with pytest.raises(HwError, match=rf"'n' \({operator.op_type}\): {message}"):
        read_qonnx(branches(0.25, pool, operator, **constants))


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


def test_spelled_out_batch_norm_and_alpha_in_the_weights(tmp_path) -> None:
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Sub", "c b", "c1"),
        node("Div", "c1 v", "c2"),
        node("Mul", "g c2", "c3"),
        node("Add", "c3 b", "c4"),
        node("Relu", "c4", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    graph = assert_equal_to_file(graph_of(nodes, base()), tmp_path)
    assert Network(graph)["fc"].weight_type == "TERNARY"


def test_preprocessing_before_the_first_quantizer_is_recorded() -> None:
    nodes = [
        node("Mul", "x two", "x1"),
        node("Sub", "x1 one", "x2"),
        quant("x2", "xq", "qi", signed=1),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        *TAIL,
    ]
    proto = graph_of(nodes, {**base(), "two": np.float32(2), "one": np.float32(1)})
    graph = read_qonnx(proto)
    assert graph.get_metadata_prop("crq.input.preprocessing") == '[["Mul", 2.0], ["Sub", 1.0]]'
    x = codes(graph, 20)
    values = evaluate(proto, (x * np.float64(np.float32(0.07)) + 1) / 2)
    found = run(graph, x) * Network(graph).scores[0].scale.astype(np.float64)
    np.testing.assert_allclose(found, values["y"], rtol=1e-5)

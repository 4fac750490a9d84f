"""Legal files whose meaning is easily mistaken: read as ONNX and qonnx define it, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, helper

from hw.errors import HwError
from hw.ir.graph import Network
from hw.read import read_qonnx
from tests.support.qonnx_files import CONV, TAIL, assert_equal_to_file, base, conv, graph_of, node, quant

IN = quant("x", "xq", "qi")
ACT = [node("Relu", "c", "r"), quant("r", "q", "q1")]


def chain(x: str, y: str, scale: str, low: str, high: str) -> list[NodeProto]:
    """A quantizer in standard operators, without node names."""
    return [
        node("Div", f"{x} {scale}", f"{y}_a"),
        node("Clip", f"{y}_a {low} {high}", f"{y}_b"),
        node("Round", f"{y}_b", f"{y}_c"),
        node("Mul", f"{y}_c {scale}", y),
    ]


def test_unnamed_quantizers_in_standard_operators_keep_their_own_bits(tmp_path: Path) -> None:
    bounds = {"low": np.float32(0), "three": np.float32(3), "fifteen": np.float32(15), "s2": np.float32(0.9)}
    weights = {"w5": np.random.default_rng(0).integers(-1, 2, (5, 5, 3, 3)).astype(np.float32)}
    first, second = chain("c", "q2", "q1_s", "low", "three"), chain("d", "q", "s2", "low", "fifteen")
    nodes = [IN, CONV, *first, conv("q2 w5", "d", "conv2"), *second, *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | bounds | weights), tmp_path))
    assert [int(layer.output.hi.max()) for layer in network if type(layer).__name__ == "Threshold"][:2] == [3, 15]


@pytest.mark.parametrize("attributes", [{"signed": 1, "narrow": 0}, {"signed": 1, "narrow": 1}, {"narrow": 1}])
@pytest.mark.parametrize("weights", [False, True])
def test_one_bit_that_is_not_zero_and_one_is_refused(attributes, weights: bool) -> None:
    """qonnx computes ±1 for one signed bit, whose range says {-1, 0}; narrow ones have a single code."""
    attributes = {"signed": 0} | attributes
    x, head = ("w", "xq wq") if weights else ("c", "xq w")
    one_bit = node("Quant", f"{x} q1_s zero one", "wq" if weights else "y", "narrow", **attributes)
    nodes = [IN, one_bit, conv(head, "y")] if weights else [IN, conv(head, "c"), one_bit]
    with pytest.raises(HwError, match=r"'narrow'.*BipolarQuant.*\[activation-bits\]"):
        read_qonnx(graph_of(nodes, base() | {"one": np.float32(1)}))


def test_what_leads_to_no_output_is_not_read(tmp_path: Path) -> None:
    """A pool or a negation behind which only a dead quantizer stands keeps its place, and dead operators are free."""
    pool = node("MaxPool", "c", "y", "pool", kernel_shape=[2, 2], strides=[2, 2])
    dead = [quant("y", "dead", "q1", signed=1), node("Sigmoid", "dead", "gone")]
    network = Network(assert_equal_to_file(graph_of([IN, CONV, pool, *dead], base()), tmp_path / "a"))
    assert network.layers[-1].output.shape == (5, 3, 3)
    negation = [node("Mul", "y minus", "m"), quant("m", "dead", "q1", signed=1)]
    constants = base() | {"minus": -np.ones((1, 5, 1, 1), np.float32)}
    assert_equal_to_file(graph_of([IN, conv("xq w", "y", "conv"), *negation], constants), tmp_path / "b")


def test_a_mean_over_everything_is_no_global_pool() -> None:
    with pytest.raises(HwError, match=r"mean over axes \[\].*\[unsupported-op\]"):
        read_qonnx(graph_of([quant("x", "xq", "qi"), node("ReduceMean", "xq", "y")], base(), shape=(1, 6)))


def test_operators_of_other_domains_are_others() -> None:
    relu = helper.make_node("Relu", ["c"], ["r"], "relu", domain="com.acme")
    model = graph_of([IN, CONV, relu, *ACT[1:], *TAIL], base())
    with pytest.raises(HwError, match=r"'relu' \(Relu\): of domain 'com.acme'.*\[unsupported-op\]"):
        read_qonnx(model)
    negation = [helper.make_node("Neg", ["a"], ["b"])]
    for domain in ("com.acme", ""):  # a function of the file goes before the operator of that name
        relu.domain = domain
        model = graph_of([IN, CONV, relu, *ACT[1:], *TAIL], base())
        opsets = [helper.make_opsetid("", 13)]
        model.functions.append(helper.make_function(domain, "Relu", ["a"], ["b"], negation, opsets))
        with pytest.raises(HwError, match=r"'relu' \(Relu\): a function of the file.*\[unsupported-op\]"):
            read_qonnx(model)


def test_the_standard_domain_has_two_names(tmp_path: Path) -> None:
    model = graph_of([IN, CONV, *ACT, *TAIL], base())
    for n in model.graph.node:
        n.domain = n.domain or "ai.onnx"
    model.opset_import[0].domain = "ai.onnx"
    expected, found = read_qonnx(graph_of([IN, CONV, *ACT, *TAIL], base())), read_qonnx(model)
    assert [n.op_type for n in found.graph.node] == [n.op_type for n in expected.graph.node]


@pytest.mark.parametrize("opset", [9, 13, 14])
def test_a_batch_norm_of_constants_is_inference(opset: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    norm = {k: rng.uniform(0.5, 1.5, 5).astype(np.float32) for k in ("s", "t", "m", "va")}
    nodes = [IN, CONV, node("BatchNormalization", "b s t m va", "bb"), node("Add", "c bb", "c1")]
    nodes += [node("Relu", "c1", "r"), quant("r", "q", "q1"), *TAIL]
    assert_equal_to_file(graph_of(nodes, base() | norm, opset=opset), tmp_path)


def test_gemm_scales_its_bias_in_float64(tmp_path: Path) -> None:
    """5 · 0.1f is 0.5 only in float32: there the quantizer's ties would round the other way."""
    dense = {"wg": np.random.default_rng(2).integers(-1, 2, (6, 4)), "bg": np.full(4, 0.1), "q1_s": 1, "qi_s": 1}
    constants = base() | {k: np.asarray(v, np.float32) for k, v in dense.items()}
    nodes = [quant("x", "xq", "qi", signed=1), node("Gemm", "xq wg bg", "m", "gemm", beta=5.0)]
    assert_equal_to_file(graph_of([*nodes, quant("m", "y", "q1", signed=1)], constants, shape=(1, 6)), tmp_path)


def test_three_dimensions_without_a_layout_are_refused(tmp_path: Path) -> None:
    """qonnx takes such a MultiThreshold as NWC, a convolution writes NCW."""
    rng = np.random.default_rng(3)
    constants = base() | {
        "w1": rng.integers(-1, 2, (5, 2, 3)).astype(np.float32),
        "table": np.sort(rng.normal(size=(5, 3)), axis=1).astype(np.float32),
    }
    nodes = [IN, node("Conv", "xq w1", "c", "conv", pads=[1, 1]), node("MultiThreshold", "c table", "y", "levels")]
    nodes[-1].attribute.append(helper.make_attribute("out_dtype", "UINT2"))
    with pytest.raises(HwError, match=r"'levels'.*no data_layout.*\[channels-last\]"):
        read_qonnx(graph_of(nodes, constants, shape=(1, 2, 5)))
    nodes[-1].attribute.append(helper.make_attribute("data_layout", "NCW"))
    assert_equal_to_file(graph_of(nodes, constants, shape=(1, 2, 5)), tmp_path)


def test_a_kernel_shape_that_contradicts_the_weights_is_refused() -> None:
    nodes = [IN, node("Conv", "xq w", "c", "conv", kernel_shape=[5, 5]), *ACT, *TAIL]
    with pytest.raises(HwError, match=r"kernel_shape \[5, 5\] with weights of shape \(5, 2, 3, 3\).*\[malformed\]"):
        read_qonnx(graph_of(nodes, base()))


def test_unused_optional_outputs_and_folded_dequantization(tmp_path: Path) -> None:
    constants = base() | {"codes": np.random.default_rng(4).integers(-1, 2, (5, 2, 3, 3)).astype(np.int8)}
    pool = helper.make_node("MaxPool", ["q2"], ["q", ""], "pool", kernel_shape=[2, 2])
    nodes = [IN, node("DequantizeLinear", "codes q1_s", "wd"), conv("xq wd", "c", "conv"), node("Relu", "c", "r")]
    graph = read_qonnx(graph_of([*nodes, quant("r", "q2", "q1"), pool, *TAIL], constants))
    assert Network(graph)["conv"].multiplier_free


def test_axes_in_any_order_and_parts_of_shapes(tmp_path: Path) -> None:
    constants = base() | {"one": np.ones(5, np.float32), "rest": np.array([-1]), "ff": np.ones((180, 3), np.float32)}
    shaped = [node("Shape", "q", "n", start=0, end=1), node("Concat", "n rest", "to", axis=0)]
    dense = [node("Reshape", "q to", "fl"), node("MatMul", "fl ff", "y", "fc")]
    assert_equal_to_file(graph_of([IN, CONV, *ACT, *shaped, *dense], constants, opset=18), tmp_path)
    nodes = [IN, CONV, node("Unsqueeze", "g1 ", "gg", axes=[3, 0, 2]), node("Mul", "c gg", "m")]
    nodes += [node("Relu", "m", "r"), ACT[1], *TAIL]
    graph = read_qonnx(graph_of(nodes, constants | {"g1": np.arange(1, 6, dtype=np.float32)}, opset=11))
    assert Network(graph).layers


def test_an_input_quantized_twice_alike_is_one_input(tmp_path: Path) -> None:
    branches = [quant("x", "xq2", "qi"), CONV, conv("xq2 w", "d", "other", pad=1)]
    codes = [quant("c", "a", "q1", signed=1), quant("d", "b1", "q1", signed=1), node("Add", "a b1", "s", "add")]
    nodes = [IN, *branches, *codes, node("Relu", "s", "r"), ACT[1], *TAIL]
    assert_equal_to_file(graph_of(nodes, base()), tmp_path)
    nodes[1] = quant("x", "xq2", "qi", signed=1)
    with pytest.raises(HwError, match=r"second time, and differently.*\[input-quantizer\]"):
        read_qonnx(graph_of(nodes, base()))

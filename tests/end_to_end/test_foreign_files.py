"""Files by hand, as other tools write them: the integer graph equals the file evaluated in float64."""

from __future__ import annotations

import numpy as np
import pytest

from hw.errors import HwError
from hw.ir.graph import Network
from hw.ir.vectors import all_vectors
from hw.project import open_project
from hw.read import read_qonnx
from hw.read.constants import Constant
from hw.read.weights import weights_of
from hw.verify.chain import layer_values, simulation_link
from tests.hw.read.test_reader import run
from tests.support.float64_file import evaluate
from tests.support.qonnx_files import (
    CONV,
    TAIL,
    assert_equal_to_file,
    base,
    codes,
    conv,
    graph_of,
    in_float32,
    node,
    quant,
)


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
    found = run(graph, x) * Network(graph).output_scale.astype(np.float64)
    np.testing.assert_allclose(found, values["y"], rtol=1e-5)


@pytest.mark.parametrize("opset", [9, 11, 13, 18, 21])
def test_flatten_in_disguise_and_opsets(opset: int, tmp_path) -> None:
    """Shape → Gather → Concat → Reshape, as torch writes x.view(x.size(0), -1)."""
    unsqueeze = node("Unsqueeze", "n", "n1", axes=[0]) if opset < 13 else node("Unsqueeze", "n axis", "n1")
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("Relu", "c", "r"),
        quant("r", "q", "q1"),
        node("Shape", "q", "s"),
        node("Gather", "s index", "n", axis=0),
        unsqueeze,
        node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "q target", "fl"),
        node("Transpose", "ft", "ftt", perm=[1, 0]),
        node("MatMul", "fl ftt", "y", "fc"),
    ]
    constants = base() | {
        "ft": np.random.default_rng(3).integers(-1, 2, (3, 180)).astype(np.float32),
        "index": np.array(0),
        "rest": np.array([-1]),
        "axis": np.array([0]),
    }
    constants = {k: v for k, v in constants.items() if k != "axis" or opset >= 13}
    proto = graph_of(nodes, constants, opset=opset)
    assert_equal_to_file(proto, tmp_path)


def test_multi_threshold_bipolar_and_bipolar_weights(tmp_path) -> None:
    rng = np.random.default_rng(5)
    constants = base() | {
        "t": np.sort(rng.normal(size=(5, 3)), axis=1).astype(np.float32),
        "w2": rng.choice([-1.0, 1.0], (4, 5, 3, 3)).astype(np.float32),
        "one": np.float32(1),
        "t1": np.zeros((1, 1), np.float32),
    }
    nodes = [
        quant("x", "xq", "qi"),
        CONV,
        node("MultiThreshold", "c t", "q", "mt", out_dtype="UINT2"),
        conv("q w2", "c2", "conv2"),
        node("MultiThreshold", "c2 t1", "b1", "sign", out_dtype="BIPOLAR", out_scale=2.0, out_bias=-1.0),
        conv("b1 w3", "c3", "conv3", size=4),
        node("BipolarQuant", "c3 one", "y", "out"),
    ]
    constants["w3"] = rng.integers(-1, 2, (3, 4, 4, 4)).astype(np.float32)
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert Network(graph)["conv2"].weight_type == "BIPOLAR"


def test_eight_bit_weights_are_an_integer_layer(tmp_path) -> None:
    constants = base() | {"w": np.random.default_rng(1).integers(-127, 128, (5, 2, 3, 3)).astype(np.float32)}
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, constants), tmp_path))
    assert network["conv"].weight_type == "INT8"
    assert not network["conv"].multiplier_free


def test_eight_bit_weights_down_to_minus_128_are_an_integer_layer(tmp_path) -> None:
    """As a full-range Quant gives them, and as plain floats; the extreme inputs meet the extreme weights."""
    weights = np.random.default_rng(1).integers(-128, 128, (5, 2, 3, 3)).astype(np.float32)
    weights[:2] = -128
    weights[1, :, 0] = 127
    constants = base() | {"w": weights, "one": np.float32(1), "eight": np.float32(8)}
    tail = [node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    quantized = node("Quant", "w one zero eight", "wq", signed=1, narrow=0)
    for signed, head in enumerate(([quantized, conv("xq wq", "c", "conv", pad=1)], [CONV])):
        folder = tmp_path / str(signed)
        proto = graph_of([quant("x", "xq", "qi", "eight", signed), *head, *tail], constants)
        network = Network(assert_equal_to_file(proto, folder))
        assert network["conv"].weight_type == "INT8"
        assert network["conv"].weights.min() == -128
        x = all_vectors(network, 20)
        assert not simulation_link(open_project(folder / "project"), x, layer_values(network, x), "ap").differing


def signs(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-1, 2, shape)


TERNARY_INTEGERS = {
    "one alpha": (2 * signs(5, 2, 3, 3), "TERNARY", 1),
    "one alpha of 100": (100 * signs(5, 2, 3, 3), "TERNARY", 1),
    "bipolar": (2 * np.where(signs(5, 2, 3, 3) > 0, 1, -1), "BIPOLAR", 1),
    "powers of two": (signs(5, 2, 3, 3) * np.array([1, 2, 4, 8, 16]).reshape(-1, 1, 1, 1), "TERNARY", 5),
    "general": (signs(5, 2, 3, 3) * np.array([1, 3, 0, 7, 1000]).reshape(-1, 1, 1, 1), "TERNARY", 5),
}


@pytest.mark.parametrize("case", TERNARY_INTEGERS)
def test_integers_that_are_ternary_are_multiplier_free(case: str, tmp_path) -> None:
    """α = 2, or one whole α per channel, is no reason for an integer layer."""
    weights, type_, scales = TERNARY_INTEGERS[case]
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    network = Network(assert_equal_to_file(graph_of(nodes, base() | {"w": weights.astype(np.float32)}), tmp_path))
    assert network["conv"].weight_type == type_
    found = weights_of(CONV, Constant(weights.astype(np.float32)))
    assert found.scale.size == scales
    np.testing.assert_array_equal(found.codes * found.scale.reshape(-1, 1, 1, 1), weights)


def test_integers_beyond_eight_signed_bits_are_named() -> None:
    nodes = [quant("x", "xq", "qi"), conv("xq w", "y", "wide")]
    weights = np.arange(90, dtype=np.float32).reshape(5, 2, 3, 3) + 50
    with pytest.raises(HwError, match=r"'wide'.*integers from 50 to 139.*8 signed bits \[weights-not-integers\]"):
        read_qonnx(graph_of(nodes, base() | {"w": weights}))
    unsigned = node("Quant", "w one zero eight", "wq", signed=0, narrow=0)
    nodes = [quant("x", "xq", "qi"), unsigned, conv("xq wq", "y", "wide")]
    constants = base() | {"w": weights, "one": np.float32(1), "eight": np.float32(8)}
    with pytest.raises(HwError, match=r"'wide'.*codes from 50 to 139.*8 signed bits \[weights-not-integers\]"):
        read_qonnx(graph_of(nodes, constants))


def test_ties_within_float32_error_are_listed(tmp_path) -> None:
    """0.1f·5 = 0.5 in float32 and more in float64: another runtime may round the other way, and the file says where."""
    constants = base() | {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "q", "q1"), *TAIL]
    graph = assert_equal_to_file(graph_of(nodes, constants), tmp_path)
    assert '"q1": [0, 1, 2, 3, 4]' in graph.get_metadata_prop("crq.ties")


def test_what_a_tie_changes_in_float32_is_counted_and_explained(tmp_path) -> None:
    """The inner Quant's scale is 0.1: sums of 5 are 0.5 in float32 and more in float64."""
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "y", "q1")]
    ones = {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    found = in_float32(graph_of(nodes, base() | ones), tmp_path)
    assert found.differing > 0
    assert found.explained == found.images_differing
    exact = in_float32(graph_of(nodes, base() | ones | {"qi_s": np.float32(0.125)}), tmp_path)
    assert exact.differing == 0

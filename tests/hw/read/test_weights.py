"""Weights to codes and scales: what is ternary, what is integer, and what is neither."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq import export
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import open_project
from crq.hw.read import read_qonnx
from crq.hw.read.constants import Constant
from crq.hw.read.weights import weight_type, weights_of
from crq.hw.verify.chain import layer_values, simulation_link
from tests.support.nets import Plain, frozen
from tests.support.qonnx_files import CONV, TAIL, assert_equal_to_file, base, conv, graph_of, node, quant


@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(2.0**-20, 2.0**20, width=32))
def test_codes_times_scale_are_the_weights(seed: int, per_channel: bool, alpha: float) -> None:
    """To the last bit, for every α that a float32 can hold."""
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.5, 2, (4, 1, 1, 1)).astype(np.float32) if per_channel else np.float32(alpha)
    weights = (rng.integers(-1, 2, (4, 3, 2, 2)) * scale).astype(np.float32)
    found = weights_of(CONV, Constant(weights))
    assert set(np.unique(found.codes)) <= {-1, 0, 1}
    back = found.codes * found.scale.reshape(-1, *[1] * 3) if found.scale.ndim else found.codes * found.scale
    assert np.array_equal(back, weights.astype(np.float64))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-1, 1, "TERNARY"), (0, 1, "TERNARY"), (-8, 7, "INT4"), (-2, 1, "INT4"), (0, 8, "INT8"), (-128, 127, "INT8")],
)
def test_the_narrowest_type_holds_the_codes(low: int, high: int, expected: str) -> None:
    assert weight_type("layer", np.array([low, 0, high])) == expected


def test_signs_without_a_zero_are_bipolar_and_no_weights_ternary() -> None:
    assert weight_type("layer", np.array([-1, 1, 1])) == "BIPOLAR"
    assert weight_type("layer", np.empty(0, np.int64)) == "TERNARY"


def test_a_channel_of_zeros_has_a_scale_that_does_nothing() -> None:
    weights = np.array([[0.5, -0.5], [0, 0], [0.25, 0]], np.float32)
    found = weights_of(CONV, Constant(weights))
    assert found.scale.tolist() == [0.5, 1.0, 0.25]
    assert weights_of(CONV, Constant(np.zeros((2, 3), np.float32))).scale.tolist() == 1.0


def test_codes_that_a_quant_gave_are_kept_and_their_scale_is_one_per_output() -> None:
    codes = np.array([[1, -7], [5, 0]])
    scale = np.array([[0.5], [0.25]])
    found = weights_of(CONV, Constant((codes * scale).astype(np.float32), codes, scale))
    assert found.codes is codes
    assert (found.scale.tolist(), found.type) == ([0.5, 0.25], "INT4")
    single = weights_of(CONV, Constant(codes.astype(np.float32), codes, np.array([[2.0]])))
    assert (single.scale.ndim, float(single.scale)) == (0, 2.0)


@pytest.mark.parametrize(
    ("constant", "slug"),
    [
        (Constant(np.array([[0.5, 0.25]], np.float32)), r"2 distinct values and are not ternary.*\[weights-not-int"),
        (Constant(np.array([[3, 200]], np.float32)), r"integers from 3 to 200.*\[weights-not-integers\]"),
        (Constant(np.array([[np.nan, 1]], np.float32)), r"infinite or NaN.*\[not-finite\]"),
        (Constant(np.ones((2, 2), np.float32), np.ones((2, 2), int), np.array([[1.0, 2.0]])), r"\[weight-scale\]"),
    ],
)
def test_what_is_no_code_is_refused_by_the_layers_name(constant: Constant, slug: str) -> None:
    with pytest.raises(HwError, match=rf"'conv' \(Conv\): .*{slug}"):
        weights_of(CONV, constant)


def test_non_ternary_weights_are_named(tmp_path) -> None:
    proto = export.to_qonnx(frozen(Plain), tmp_path / "m.onnx", carrier="float")
    quant = next(n for n in proto.graph.node if n.name == "conv2_weight")
    conv = next(n for n in proto.graph.node if n.name == "conv2")
    conv.input[1] = quant.input[0]
    weight = next(i for i in proto.graph.initializer if i.name == "conv2.weight")
    values = np.random.default_rng(0).normal(size=tuple(weight.dims)).astype(np.float32)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    with pytest.raises(HwError, match=r"'conv2'.*not ternary.*\[weights-not-integers\]"):
        read_qonnx(proto)


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


@pytest.mark.parametrize("shape", [(), (5,), (5, 0, 3, 3)])
def test_weights_without_two_axes_or_elements_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(HwError, match=r"weights of shape .*\[malformed\]"):
        weights_of(node("Conv", "x w", "y", "conv"), Constant(np.ones(shape, np.float32)))

"""Constant folding: every operator against NumPy, Quant of weights in float64, codes that follow their tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto, helper, numpy_helper

from crq.hw.errors import HwError
from crq.hw.read.budget import Budget
from crq.hw.read.constants import FOLDED, Constant, fold, from_tensor, shape_slice
from tests.support.qonnx_files import node

A = np.array([[1.0, -2, 3], [4, 5, 6.5]], np.float32)
B = np.array([2.0, 4, 0.5], np.float32)
CASES: dict[str, tuple[NodeProto, list[np.ndarray], np.ndarray]] = {
    "Add": (node("Add", "a b", "y"), [A, B], A + B),
    "Sub": (node("Sub", "a b", "y"), [A, B], A - B),
    "Mul": (node("Mul", "a b", "y"), [A, B], A * B),
    "Div": (node("Div", "a b", "y"), [A, B], A / B),
    "Pow": (node("Pow", "a b", "y"), [B, np.float32(2)], B * B),
    "Neg": (node("Neg", "a", "y"), [A], -A),
    "Sqrt": (node("Sqrt", "a", "y"), [B], np.sqrt(B)),
    "Identity": (node("Identity", "a", "y"), [A], A),
    "Cast": (node("Cast", "a", "y", to=TensorProto.INT64), [A], np.array([[1, -2, 3], [4, 5, 6]])),
    "Concat": (node("Concat", "a b", "y", axis=0), [A, A], np.concatenate([A, A])),
    "Gather": (node("Gather", "a b", "y", axis=1), [A, np.array([2, 0])], A[:, [2, 0]]),
    "Slice": (node("Slice", "a b c d", "y"), [A, np.array([1]), np.array([3]), np.array([1])], A[:, 1:3]),
    "Transpose": (node("Transpose", "a", "y", perm=[1, 0]), [A], A.T),
    "Reshape": (node("Reshape", "a b", "y"), [A, np.array([3, -1])], A.reshape(3, 2)),
    "Flatten": (node("Flatten", "a", "y", axis=0), [A], A.reshape(1, 6)),
    "Squeeze": (node("Squeeze", "a b", "y"), [A[None], np.array([0])], A),
    "Unsqueeze": (node("Unsqueeze", "a b", "y"), [A, np.array([1])], A[:, None]),
    "Constant": (node("Constant", "", "y", value=numpy_helper.from_array(A)), [], A),
    "DequantizeLinear": (
        node("DequantizeLinear", "a b", "y", axis=1), [np.array([[1, -2, 3]], np.int8), B], np.array([[2, -8, 1.5]])
    ),
    "QuantizeLinear": (
        node("QuantizeLinear", "a b c", "y", axis=1),
        [np.array([[1.5, 9.0, -70.0]], np.float32), np.array([1, 4, 0.5], np.float32), np.array([0, 3, 0], np.int8)],
        np.array([[2, 5, -128]]),
    ),
    "Clip": (node("Clip", "a b c", "y"), [A, np.float32(-1), np.float32(4)], np.clip(A, -1, 4)),
    "BatchNormalization": (
        node("BatchNormalization", "a b b b b", "y", epsilon=0.0), [A, B, B, B, B], (A - B) / np.sqrt(B) * B + B
    ),
}  # fmt: skip


def evaluated(made: NodeProto, values: list[np.ndarray], opset: int = 19) -> Constant:
    return fold(made, [Constant(v) for v in values], opset, Budget())


def test_every_folded_operator_has_its_case() -> None:
    assert set(CASES) == FOLDED


@pytest.mark.parametrize("op", CASES)
def test_an_operator_gives_what_numpy_gives(op: str) -> None:
    made, values, expected = CASES[op]
    found = evaluated(made, values).value
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_one_tensor_at_two_inputs_and_an_input_left_out() -> None:
    assert evaluated(node("Mul", "a a", "y"), [A, A]).value.tolist() == (A * A).tolist()
    made = helper.make_node("Slice", ["a", "s", "e", "", "d"], ["y"])
    inputs = [Constant(np.arange(6)), Constant(np.array([1])), Constant(np.array([6])), None, Constant(np.array([2]))]
    assert fold(made, inputs, 19, Budget()).value.tolist() == [1, 3, 5]


def test_shape_is_constant_and_may_be_a_part() -> None:
    assert shape_slice(node("Shape", "x", "s"), [1, 2, 6]).tolist() == [1, 2, 6]
    assert shape_slice(node("Shape", "x", "s", start=1), [1, 2, 6]).tolist() == [2, 6]
    assert shape_slice(node("Shape", "x", "s", start=-2, end=-1), [1, 2, 6]).tolist() == [2]
    assert evaluated(node("Shape", "x", "s"), [A]).value.tolist() == [2, 3]


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.booleans())
def test_weights_are_quantized_half_to_even_in_float64(seed: int, bits: int, narrow: bool) -> None:
    """One by one with Python's round, which is half to even on doubles."""
    rng = np.random.default_rng(seed)
    w = (rng.integers(-40, 40, (3, 2)) / 4).astype(np.float32)
    scale = rng.choice([0.25, 0.5, 0.1, 0.3], (3, 1)).astype(np.float32)
    made = node("Quant", "w s z b", "y", signed=1, narrow=int(narrow))
    found = evaluated(made, [w, scale, np.float32(0), np.float32(bits)])
    low, high = -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    for i in range(3):
        for j in range(2):
            units = min(max(float(w[i, j]) / float(scale[i, 0]), low), high)
            assert found.codes[i, j] == round(units)
            assert found.value[i, j] == np.float32(round(units) * float(scale[i, 0]))
    assert found.elements == 6 + 6 + 3


def test_bipolar_weights_take_zero_for_plus_one() -> None:
    found = evaluated(node("BipolarQuant", "w s", "y"), [np.array([-0.1, 0, 2], np.float32), np.float32(0.5)])
    assert found.codes.tolist() == [-1, 1, 1]
    assert found.value.tolist() == [-0.5, 0.5, 0.5]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize(
    ("op", "more", "move"),
    [
        (node("Transpose", "w", "y", perm=[1, 0]), [], lambda a: a.T),
        (node("Reshape", "w t", "y"), [np.array([3, 2, 1])], lambda a: a.reshape(3, 2, 1)),
        (node("Identity", "w", "y"), [], lambda a: a),
    ],
    ids=["transpose", "reshape", "identity"],
)
def test_codes_and_scale_follow_their_tensor(
    op: NodeProto, more: list[np.ndarray], move: Callable[[np.ndarray], np.ndarray], per_channel: bool
) -> None:
    codes = np.array([[1, -1, 0], [0, 1, 1]])
    scale = np.array([[0.5], [2.0]]) if per_channel else np.array(0.5)
    given_ = Constant((codes * scale).astype(np.float32), codes, scale)
    found = fold(op, [given_, *(Constant(m) for m in more)], 19, Budget())
    assert found.codes is not None
    assert found.scale is not None
    assert np.array_equal(found.codes, move(codes))
    assert np.array_equal(np.broadcast_to(found.scale, found.codes.shape), move(np.broadcast_to(scale, codes.shape)))
    assert np.array_equal(found.value, found.codes * found.scale)


def test_what_computes_with_the_values_loses_the_codes() -> None:
    given_ = Constant(A, np.ones((2, 3), np.int64), np.array(1.0))
    found = fold(node("Neg", "a", "y"), [given_], 19, Budget())
    assert (found.codes, found.scale) == (None, None)


WEIGHTS = [A, np.float32(0.5), np.float32(0), np.float32(4)]


@pytest.mark.parametrize(
    ("made", "values", "message"),
    [
        (node("Sigmoid", "a", "y", "sig"), [A], r"'sig'.*Sigmoid of constants is not folded.*\[unsupported-op\]"),
        (node("Add", "a b", "y", "sum"), [A, np.ones(4, "f4")], r"'sum'.*cannot be evaluated.*\[malformed\]"),
        (node("Reshape", "a b", "y", "r"), [A, np.array([4, 2])], r"'r'.*cannot be evaluated.*\[malformed\]"),
        (node("Quant", "w s z b", "y", "q"), [*WEIGHTS[:2], np.float32(1), WEIGHTS[3]], r"'q'.*\[weight-zero-point\]"),
        (node("Quant", "w s z b", "y", "q"), [A, np.float32(0), *WEIGHTS[2:]], r"scale is not a pos.*\[not-finite\]"),
        (node("Quant", "w s z b", "y", "q"), [A * np.nan, *WEIGHTS[1:]], r"'q'.*\[not-finite\]"),
        (node("Quant", "w s z b", "y", "q"), [*WEIGHTS[:3], np.float32(33)], r"bit width.*\[activation-bits\]"),
    ],
)
def test_what_cannot_be_folded_is_named(made: NodeProto, values: list[np.ndarray], message: str) -> None:
    with pytest.raises(HwError, match=message):
        evaluated(made, values)


def test_an_initializer_that_cannot_be_decoded_is_named() -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=b"1234567")
    with pytest.raises(HwError, match=r"initializer 'w': cannot be decoded .*\[malformed\]"):
        from_tensor("w", tensor)


def test_float_types_that_numpy_lacks_keep_their_values() -> None:
    tensor = helper.make_tensor("w", TensorProto.BFLOAT16, [3], [0.5, 1.5, -1.0])
    assert from_tensor("w", tensor).value.tolist() == [0.5, 1.5, -1.0]
    tensor = helper.make_tensor("w", TensorProto.UINT4, [3], [0, 15, 7])
    assert from_tensor("w", tensor).value.tolist() == [0, 15, 7]


def test_text_is_not_folded() -> None:
    with pytest.raises(HwError, match=r"Cast of text.*\[unsupported-op\]"):
        fold(node("Cast", "a", "y", to=8), [Constant(np.ones(3))], 21, Budget())


@pytest.mark.parametrize("opset", [13, 19, 21])
@pytest.mark.parametrize("shape", [(2, 1), (1, 3), (2, 3)])
def test_scales_of_several_axes_are_named(shape: tuple[int, ...], opset: int) -> None:
    made = node("DequantizeLinear", "w s", "y", "dq", axis=0)
    message = rf"'dq' \(DequantizeLinear\): scales of shape \({shape[0]}, {shape[1]}\) for a tensor of shape \(2, 3\)"
    with pytest.raises(HwError, match=message):
        fold(made, [Constant(np.ones((2, 3), np.int8)), Constant(np.ones(shape, np.float32))], opset, Budget())


def test_what_the_reference_evaluation_raises_names_the_node() -> None:
    """Whatever it is: an assertion without words, an axis beyond all memory."""
    blocked = node("DequantizeLinear", "w s", "y", "dq", axis=0, block_size=3)
    values = [Constant(np.ones((2, 3), np.int8)), Constant(np.ones((2, 3, 1), np.float32))]
    with pytest.raises(HwError, match=r"'dq'.*scales of shape \(2, 3, 1\)"):
        fold(blocked, values, 21, Budget())
    joined = node("Concat", "a b", "y", "cat", axis=2**40)
    with pytest.raises(HwError, match=r"'cat' \(Concat\): cannot be evaluated \(axis 1099511627776 of a tensor"):
        fold(joined, [Constant(A), Constant(A)], 21, Budget())

"""Operators of old opsets on constants, against NumPy and against onnx's reference of the opset that has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator

from crq.hw.ir.graph import Network
from crq.hw.read import read_qonnx
from crq.hw.read.budget import Budget
from crq.hw.read.constants import Constant, fold
from crq.hw.read.old_opsets import batch_norm, dequantize_linear, squeeze, unsqueeze
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, assert_equal_to_file, base, graph_of, node, quant

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def reference(op: str, opset: int, *values: np.ndarray, **attributes: object) -> np.ndarray:
    names = [f"i{i}" for i in range(len(values))]
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for n, v in zip(names, values, strict=True)
    ]
    made = helper.make_node(op, names, ["y"], **attributes)
    graph = helper.make_graph([made], "g", infos, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, values, strict=True)))[0]


@given(st.sets(st.integers(0, 4), max_size=2), st.randoms())
def test_unsqueeze_takes_axes_of_the_result_in_any_order_and_sign(axes: set[int], random) -> None:
    rank = 3 + len(axes)
    axes = {a for a in axes if a < rank}
    given_axes = [a - random.choice([0, 3 + len(axes)]) for a in random.sample(sorted(axes), len(axes))]
    found = unsqueeze(X, given_axes)
    expected = np.expand_dims(X, tuple(axes)) if axes else X
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)


def test_squeeze_removes_what_is_asked_or_all_of_one_element() -> None:
    x = X.reshape(1, 2, 1, 3, 4, 1)
    assert squeeze(x).shape == (2, 3, 4)
    assert squeeze(x, [-1, 0]).shape == (2, 1, 3, 4)
    assert squeeze(x, []).shape == x.shape
    with pytest.raises(ValueError, match=r"axes \[1\] of a tensor of shape \(1, 2, 1, 3, 4, 1\)"):
        squeeze(x, [1])


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (1, 3, 2, 5)])
def test_batch_norm_is_the_inference_of_the_newer_opset(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    scale, bias, mean = (rng.normal(size=3) for _ in range(3))
    var = rng.uniform(0.5, 2, 3)
    expected = reference("BatchNormalization", 15, x, scale, bias, mean, var, epsilon=0.25)
    found = batch_norm(x, scale, bias, mean, var, epsilon=0.25, momentum=0.9)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("scale", "zero", "axis"),
    [((), None, 1), ((3,), None, 1), ((2,), (2,), 0), ((4,), (4,), -1), ((), (), 1), ((3,), (3,), -2)],
)
def test_dequantize_linear_is_that_of_the_newer_opset(scale, zero, axis: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, (2, 3, 4)).astype(np.int8)
    s = rng.uniform(0.1, 2, scale).astype(np.float32)
    z = [] if zero is None else [rng.integers(-9, 9, zero).astype(np.int8)]
    expected = reference("DequantizeLinear", 21, x, s, *z, axis=axis)
    np.testing.assert_allclose(dequantize_linear(x, s, *z, axis=axis), expected, rtol=1e-6)


@pytest.mark.parametrize(("opset", "op"), [(11, "Squeeze"), (13, "DequantizeLinear"), (9, "BatchNormalization")])
def test_folding_below_the_opset_gives_what_the_opset_gives(opset: int, op: str) -> None:
    """The same node on the same constants, folded as of an old opset and as of a new one."""
    rng = np.random.default_rng(2)
    values = {
        "Squeeze": [X.reshape(1, 2, 3, 4, 1)],
        "DequantizeLinear": [rng.integers(-9, 9, (2, 3)).astype(np.int8), np.array([0.5, 2, 4], np.float32)],
        "BatchNormalization": [X, *(rng.uniform(1, 2, 3).astype(np.float32) for _ in range(4))],
    }[op]
    made = node(op, " ".join(f"i{i}" for i in range(len(values))), "y")
    old = fold(made, [Constant(v) for v in values], opset, Budget()).value
    new = fold(made, [Constant(v) for v in values], 21, Budget()).value
    assert old.shape == new.shape
    np.testing.assert_allclose(old, new, rtol=1e-5)


@pytest.mark.parametrize("opset", [9, 13, 14])
def test_a_batch_norm_of_constants_is_inference(opset: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    norm = {k: rng.uniform(0.5, 1.5, 5).astype(np.float32) for k in ("s", "t", "m", "va")}
    nodes = [IN, CONV, node("BatchNormalization", "b s t m va", "bb"), node("Add", "c bb", "c1")]
    nodes += [node("Relu", "c1", "r"), quant("r", "q", "q1"), *TAIL]
    assert_equal_to_file(graph_of(nodes, base() | norm, opset=opset), tmp_path)


def test_axes_in_any_order_and_parts_of_shapes(tmp_path: Path) -> None:
    constants = base() | {"one": np.ones(5, np.float32), "rest": np.array([-1]), "ff": np.ones((180, 3), np.float32)}
    shaped = [node("Shape", "q", "n", start=0, end=1), node("Concat", "n rest", "to", axis=0)]
    dense = [node("Reshape", "q to", "fl"), node("MatMul", "fl ff", "y", "fc")]
    assert_equal_to_file(graph_of([IN, CONV, *ACT, *shaped, *dense], constants, opset=18), tmp_path)
    nodes = [IN, CONV, node("Unsqueeze", "g1 ", "gg", axes=[3, 0, 2]), node("Mul", "c gg", "m")]
    nodes += [node("Relu", "m", "r"), ACT[1], *TAIL]
    graph = read_qonnx(graph_of(nodes, constants | {"g1": np.arange(1, 6, dtype=np.float32)}, opset=11))
    assert Network(graph).layers

"""The operators of the float64 evaluation, against onnxruntime in float32."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from crq.hw.verify.float64.operators import OPERATORS, conv

RNG = np.random.default_rng(0)


def in_both(
    op: str, shape: tuple[int, ...], constants: list[np.ndarray], opset: int, **attributes: Any
) -> list[np.ndarray]:
    """The node on one random image: by onnxruntime in float32, and by ours in float64."""
    nodes = [helper.make_node(op, ["x", *names(constants)], ["y"], **attributes)]
    return run(nodes, RNG.normal(size=shape), constants, opset)


def of_constants(op: str, constants: list[np.ndarray], opset: int, **attributes: Any) -> list[np.ndarray]:
    """The same for a node on constants alone."""
    nodes = [helper.make_node(op, names(constants), ["d"], **attributes), helper.make_node("Add", ["x", "d"], ["y"])]
    return run(nodes, np.zeros(constants[0].shape), constants, opset)


def names(constants: list[np.ndarray]) -> list[str]:
    return [f"c{i}" for i in range(len(constants))]


def run(nodes: list, x: np.ndarray, constants: list[np.ndarray], opset: int) -> list[np.ndarray]:
    models = []
    for dtype, element in ((np.float32, TensorProto.FLOAT), (np.float64, TensorProto.DOUBLE)):
        typed = [c.astype(dtype) if c.dtype.kind == "f" else c for c in map(np.asarray, constants)]
        stored = [numpy_helper.from_array(c, name) for c, name in zip(typed, names(constants), strict=True)]
        ends = [[helper.make_tensor_value_info(name, element, None)] for name in "xy"]
        graph = helper.make_graph(nodes, "g", *ends, stored)
        models.append(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8))
    session = onnxruntime.InferenceSession(models[0].SerializeToString(), providers=["CPUExecutionProvider"])
    theirs = session.run(None, {"x": x.astype(np.float32)})[0]
    return [theirs, ReferenceEvaluator(models[1], new_ops=list(OPERATORS)).run(None, {"x": x})[0]]


WHERE = [
    {},
    {"auto_pad": "VALID", "strides": [2, 1]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"auto_pad": "SAME_LOWER", "strides": [2, 3]},
    {"auto_pad": "NOTSET", "pads": [1, 0, 1, 1]},
    {"pads": [0, 1, 2, 1], "strides": [3, 2]},
]
POOLS = [
    *WHERE,
    {"ceil_mode": 1, "strides": [2, 3]},
    {"ceil_mode": 1, "strides": [3, 3], "pads": [1, 0, 1, 2]},
]


@pytest.mark.parametrize("size", [(7, 8), (6, 5)], ids=str)
@pytest.mark.parametrize("where", [*WHERE, {"dilations": [2, 1], "pads": [2, 1, 0, 1]}], ids=str)
@pytest.mark.parametrize("group", [1, 2, 4])
def test_conv(where: dict, size: tuple[int, int], group: int) -> None:
    constants = [RNG.normal(size=(8, 4 // group, 3, 2)), RNG.normal(size=8)]
    for bias in (0, 1):
        theirs, ours = in_both("Conv", (2, 4, *size), constants[: 1 + bias], 13, group=group, **where)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("where", [
    {}, {"strides": [2, 3]}, {"strides": [2, 2], "pads": [1, 0, 2, 1], "output_padding": [1, 0]},
    {"strides": [3, 1], "dilations": [1, 2], "pads": [0, 1, 0, 1]}, {"strides": [2, 2], "auto_pad": "VALID"},
    {"strides": [2, 2], "auto_pad": "SAME_UPPER"}, {"strides": [2, 2], "output_shape": [10, 12]},
], ids=str)  # fmt: skip
def test_conv_transpose(where: dict, group: int) -> None:
    constants = [RNG.normal(size=(4, 6 // group if group < 4 else 2, 3, 2)), RNG.normal(size=6 if group < 4 else 8)]
    for bias in (0, 1):
        theirs, ours = in_both("ConvTranspose", (2, 4, 5, 6), constants[: 1 + bias], 13, group=group, **where)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(7, 8), (6, 5)], ids=str)
@pytest.mark.parametrize("where", POOLS, ids=str)
def test_pools(where: dict, size: tuple[int, int]) -> None:
    shape = (2, 3, *size)
    cases: list[tuple[str, dict]] = [("MaxPool", {}), ("AveragePool", {}), ("AveragePool", {"count_include_pad": 1})]
    for op, more in cases:
        theirs, ours = in_both(op, shape, [], 13, kernel_shape=[3, 3], **where, **more)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4, err_msg=op)


def test_dilated_pools() -> None:
    where = {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [2, 1, 1, 1]}
    np.testing.assert_allclose(*in_both("MaxPool", (1, 2, 9, 9), [], 13, **where), rtol=1e-4)
    np.testing.assert_allclose(*in_both("AveragePool", (1, 2, 9, 9), [], 19, **where), rtol=1e-4)


@pytest.mark.parametrize("where", [{}, {"pads": [1, 0]}, {"auto_pad": "SAME_LOWER", "strides": [2]}], ids=str)
def test_one_and_three_dimensions(where: dict) -> None:
    cube = {k: [v[0]] * 3 + [v[1]] * 3 if k == "pads" else v * 3 if k == "strides" else v for k, v in where.items()}
    for attributes, size, kernel in ((where, (9,), (2,)), (cube, (5, 4, 6), (2, 2, 2))):
        theirs, ours = in_both("Conv", (1, 3, *size), [RNG.normal(size=(2, 3, *kernel))], 13, **attributes)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        for op in ("MaxPool", "AveragePool"):
            theirs, ours = in_both(op, (1, 3, *size), [], 13, kernel_shape=list(kernel), **attributes)
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", [9, 14])
def test_batch_normalization(opset: int) -> None:
    constants = [RNG.uniform(0.5, 1.5, 4) for _ in range(4)]
    for attributes in ({}, {"epsilon": 0.1}):
        theirs, ours = in_both("BatchNormalization", (2, 4, 3, 3), constants, opset, **attributes)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("axes", [[3, 2], [2, 3], [0, -1]], ids=str)
def test_squeeze_takes_its_axes_at_once(axes: list[int]) -> None:
    shape = tuple(1 if i in (a % 4 for a in axes) else 5 for i in range(4))
    for opset, constants, attributes in ((11, [], {"axes": axes}), (13, [np.array(axes)], {})):
        theirs, ours = in_both("Squeeze", shape, constants, opset, **attributes)
        assert ours.shape == theirs.shape


@pytest.mark.parametrize("axes", [[4, 0], [0, 4], [-1, 1]], ids=str)
def test_unsqueeze_takes_its_axes_at_once(axes: list[int]) -> None:
    for opset, constants, attributes in ((11, [], {"axes": axes}), (13, [np.array(axes)], {})):
        theirs, ours = in_both("Unsqueeze", (2, 3, 4), constants, opset, **attributes)
        assert ours.shape == theirs.shape


@pytest.mark.parametrize(
    ("opset", "scale", "attributes"), [(13, (), {}), (13, (6,), {"axis": 1}), (13, (4,), {"axis": -2})]
    + [(21, (4, 3), {"axis": 1, "block_size": 2}), (21, (2, 6), {"axis": 0, "block_size": 3})],
)  # fmt: skip
def test_dequantize_linear(opset: int, scale: tuple[int, ...], attributes: dict) -> None:
    codes, zeros = (RNG.integers(-9, 9, shape).astype(np.int8) for shape in ((4, 6), scale))
    for constants in ([], [zeros]):
        inputs = [codes, RNG.uniform(0.1, 1, scale), *constants]
        np.testing.assert_allclose(*of_constants("DequantizeLinear", inputs, opset, **attributes), rtol=1e-6)


def test_a_large_convolution_takes_no_loop_over_pixels() -> None:
    x, w = RNG.normal(size=(1, 64, 56, 56)), RNG.normal(size=(64, 64, 3, 3))
    start = time.perf_counter()
    conv(x, w, pads=[1, 1, 1, 1])
    assert time.perf_counter() - start < 2

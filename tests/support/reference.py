"""An independent evaluation of the integer graph: plain loops over ONNX nodes in int64, one image at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper


def run(model: ModelWrapper, x: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Every tensor's integers for images `x` (N, …), by tensor name."""
    traces = [_run_one(model, image[None]) for image in x]
    return {name: np.concatenate([t[name] for t in traces]) for name in traces[0]}


def _run_one(model: ModelWrapper, x: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    values: dict[str, Any] = {model.graph.input[0].name: x.astype(np.int64)}
    made = []
    for initializer in model.graph.initializer:
        values[initializer.name] = np.rint(model.get_initializer(initializer.name)).astype(np.int64)
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        operands = [values[name] for name in node.input]
        values[node.output[0]] = OPERATIONS[node.op_type](attributes, *operands)
        made.append(node.output[0])
    return {name: values[name] for name in made}


def _as_2d(attributes: dict[str, Any], x: Any, k: int) -> tuple[Any, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """(image (C, H, W), strides, dilations, pads (top, left, bottom, right)); a signal becomes one row."""
    n = x.ndim - 2
    strides = tuple(attributes.get("strides", [1] * n))
    dilations = tuple(attributes.get("dilations", [1] * n))
    pads = tuple(attributes.get("pads", [0] * 2 * n))
    image = x[0]
    if n == 1:
        image, strides, dilations, pads = image[:, None, :], (1, *strides), (1, *dilations), (0, pads[0], 0, pads[1])
    return image, strides, dilations, pads


def _slide(attributes: dict[str, Any], x: Any, kernel: tuple[int, int]) -> Any:
    """Yields (oy, ox, list of (ky, kx, pixel or None)) of every output position, and its shape first."""
    image, strides, dilations, pads = _as_2d(attributes, x, len(kernel))
    c, h, w = image.shape
    oh = (h + pads[0] + pads[2] - dilations[0] * (kernel[0] - 1) - 1) // strides[0] + 1
    ow = (w + pads[1] + pads[3] - dilations[1] * (kernel[1] - 1) - 1) // strides[1] + 1
    yield oh, ow
    for oy in range(oh):
        for ox in range(ow):
            taps = []
            for ky in range(kernel[0]):
                for kx in range(kernel[1]):
                    iy, ix = (
                        oy * strides[0] + ky * dilations[0] - pads[0],
                        ox * strides[1] + kx * dilations[1] - pads[1],
                    )
                    taps.append((ky, kx, image[:, iy, ix] if 0 <= iy < h and 0 <= ix < w else None))
            yield oy, ox, taps


def _conv(attributes: dict[str, Any], x: Any, w: Any) -> Any:
    weights = w if w.ndim == 4 else w[:, :, None, :]
    outputs, per_group = weights.shape[:2]
    group = attributes["group"]
    positions = _slide(attributes, x, weights.shape[2:])
    oh, ow = next(positions)
    result = np.zeros((1, outputs, oh, ow), np.int64)
    for oy, ox, taps in positions:
        for ky, kx, pixel in taps:
            if pixel is None:
                continue
            for o in range(outputs):
                first = o // (outputs // group) * per_group
                result[0, o, oy, ox] += int(np.dot(weights[o, :, ky, kx], pixel[first : first + per_group]))
    return result if x.ndim == 4 else result[:, :, 0]


def _max_pool(attributes: dict[str, Any], x: Any) -> Any:
    kernel = tuple(attributes["kernel_shape"])
    positions = _slide(attributes, x, kernel if len(kernel) == 2 else (1, *kernel))
    oh, ow = next(positions)
    result = np.zeros((1, x.shape[1], oh, ow), np.int64)
    for oy, ox, taps in positions:
        result[0, :, oy, ox] = np.max([pixel for _, _, pixel in taps if pixel is not None], axis=0)
    return result if x.ndim == 4 else result[:, :, 0]


def _conv_transpose(attributes: dict[str, Any], x: Any, w: Any) -> Any:
    """By the definition of ONNX: every pixel adds its kernel at its place; strides as large as kernels."""
    image, weights = (x[0], w) if x.ndim == 4 else (x[0][:, None], w[:, :, None])
    (c, height, width), (rows, columns) = image.shape, weights.shape[2:]
    group = attributes["group"]
    result = np.zeros((1, group * weights.shape[1], height * rows, width * columns), np.int64)
    for i, y, column in np.ndindex(c, height, width):
        first = i // (c // group) * weights.shape[1]
        block = np.s_[0, first : first + weights.shape[1], y * rows : (y + 1) * rows,
                      column * columns : (column + 1) * columns]  # fmt: skip
        result[block] += image[i, y, column] * weights[i]
    return result if x.ndim == 4 else result[:, :, 0]


def _thresholds(attributes: dict[str, Any], x: Any, t: Any) -> Any:
    result = np.full(x.shape, int(attributes["out_bias"]), np.int64)
    for c in range(x.shape[1]):
        for level in t[c if len(t) > 1 else 0]:
            result[:, c] += x[:, c] >= level
    return result


OPERATIONS: dict[str, Any] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MatMul": lambda _, x, w: x @ w,
    "MultiThreshold": _thresholds,
    "Mul": lambda _, x, y: x * y,
    "Add": lambda _, x, y: x + y,
    "MaxPool": _max_pool,
    "ReduceSum": lambda _, x, axes: x.sum(axis=tuple(axes.tolist()), keepdims=True),
    "Concat": lambda _, *xs: np.concatenate(xs, axis=1),
    "Unsqueeze": lambda _, x, axes: np.expand_dims(x, tuple(axes.tolist())),
    "Squeeze": lambda _, x, axes: np.squeeze(x, tuple(axes.tolist())),
    "Flatten": lambda _, x: x.reshape(1, -1),
}

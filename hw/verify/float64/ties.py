"""Values so near to a boundary of their quantizer that the order of float64 operations decides the code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper

from crq.hw.verify.float64.operators import QUANTIZERS, quantize_linear

Array = NDArray[Any]

TIE = 1e-9
"""In steps of the quantizer, and relative: what is nearer to a boundary is decided only if it is exactly on it."""

BOUNDARIES: dict[str, Callable[..., Array]] = {**QUANTIZERS, "QuantizeLinear": quantize_linear, "Round": np.rint}


SCALED = ("Quant", "IntQuant", "QuantizeLinear", "Trunc")


def _scale(node: NodeProto, x: Array, parameters: list[Array]) -> Array:
    """So that it broadcasts: a QuantizeLinear has its scales along an axis."""
    scale = parameters[0]
    if node.op_type != "QuantizeLinear" or scale.size == 1:
        return scale
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    return scale.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def boundaries(model: ModelProto) -> list[NodeProto]:
    """The file's quantizers of activations, and its `Round` nodes, in its order."""
    computed = {i.name for i in model.graph.input}
    found = []
    for node in model.graph.node:
        if computed & set(node.input):
            computed |= set(node.output)
            if node.op_type in BOUNDARIES:
                found.append(node)
    return found


def undecided(node: NodeProto, values: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Where the code of a node of `boundaries` may be another one in another order of operations.

    A value exactly on a boundary is decided where rounding cannot have put it there: it fits float32, and so does the
    boundary, for a Quant because its scale is a power of two.
    """
    x, *parameters = (np.asarray(values[name]) for name in node.input)
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    decoded = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}

    def result(moved: Array) -> Array:
        return BOUNDARIES[node.op_type](moved, *parameters, **decoded)

    margin = TIE * np.maximum(np.abs(x), _step(node, x, parameters))
    near: NDArray[np.bool_] = result(x - margin) != result(x + margin)
    if near.any():
        near &= ~(_on_a_boundary(node, x, parameters, result) & (x == x.astype(np.float32)))
    return near


def _step(node: NodeProto, x: Array, parameters: list[Array]) -> Array:
    """The size of a step; of quantizers that have none, of the greatest value."""
    if node.op_type in SCALED:
        return _scale(node, x, parameters)
    return np.ones(()) if node.op_type == "Round" else np.abs(x).max(initial=0.0)


def _on_a_boundary(node: NodeProto, x: Array, parameters: list[Array], result: Callable[[Array], Array]) -> Array:
    """Exactly; of a `Round` it is not known, as the scale by which its input was divided is not."""
    if node.op_type == "Round":
        return np.zeros(x.shape, bool)
    if node.op_type in SCALED:
        scale = _scale(node, x, parameters)
        halves = 2 * x / scale
        return np.asarray((halves == np.rint(halves)) & (np.frexp(scale)[0] == 0.5))
    return np.asarray(result(np.nextafter(x, -np.inf)) != result(x))

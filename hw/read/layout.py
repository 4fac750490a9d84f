"""Channels-last files: every node is turned to channels first just before its handler reads it.

A value is read channels first always; what differs is how the file orders its axes. Transposes between the two orders
become identities, qonnx's channels-last operators the standard ones, and constants are laid out anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper

from crq.hw.ir.layers import IntArray
from crq.hw.read.activations import ACTIVATIONS
from crq.hw.read.constants import Constant
from crq.hw.read.context import Context
from crq.hw.read.refusals import refuse
from crq.hw.read.values import View

Layout: TypeAlias = "str | IntArray | None"
"""The file's order of a value: None as read, LAST, or for a flattened one the feature read as each of the file's."""

LAST = "channels last"

ELEMENTWISE = (
    ("Add", "BipolarQuant", "Clip", "DequantizeLinear", "Div", "Dropout", "Identity", "Max", "Min", "Mul", "Pow")
    + ("Quant", "QuantizeLinear", "Relu", "Sub", "Trunc")
    + tuple(ACTIVATIONS)
)  # fmt: skip
"""Operators that keep their input's layout; constants broadcast against it."""


def channels_last_input(graph: GraphProto, name: str) -> bool:
    """Whether the first operator behind input `name` that depends on the layout reads it channels last."""
    same = {name}
    for node in graph.node:
        if not same & set(node.input):
            continue
        if node.op_type in ELEMENTWISE:
            same |= set(node.output)
        elif node.op_type == "Transpose":
            return _to_first(node)
        elif node.op_type == "MatMul":  # of a vector, or over the last axis of points
            return _rank(graph, name) > 2 and node.input[0] in same
        else:
            return "channels_last" in node.domain or _data_layout(node).endswith("C")
    return False


def _rank(graph: GraphProto, name: str) -> int:
    return next(len(i.type.tensor_type.shape.dim) for i in graph.input if i.name == name)


def channels_first(ctx: Context, node: NodeProto) -> tuple[NodeProto, Layout]:
    """`node` as it reads channels-first values, and the layout the file gives its result."""
    found = [ctx.layouts.get(name) for name in node.input if name in ctx.values]
    layout: Layout = found[0]
    if any(not _same(layout, other) for other in found[1:]):
        refuse("channels-last", node, "reads values of different layouts")
    if node.op_type == "Transpose":
        return _transpose(ctx, node, layout)
    if "channels_last" in node.domain and layout is not LAST:
        refuse("channels-last", node, "a channels-last operator on a value that is not channels last")
    if layout is None:
        return node, None
    result = NodeProto()
    result.CopyFrom(node)
    if isinstance(layout, str):
        return _of_image(ctx, result)
    return _of_features(ctx, result, layout)


def _same(one: Layout, other: Layout) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return one is other


def _transpose(ctx: Context, node: NodeProto, layout: Layout) -> tuple[NodeProto, Layout]:
    """Between the two orders nothing is moved; any other transposition of a channels-first value is a view."""
    identity = helper.make_node("Identity", node.input[:1], node.output, node.name)
    if layout is LAST and _to_first(node):
        return identity, None
    if layout is None and (isinstance(ctx.values[node.input[0]], View) or not _to_last(node)):
        return node, None
    if layout is None:
        return identity, LAST
    refuse("channels-last", node, "a transposition that is none between channels first and channels last")


def _of_image(ctx: Context, node: NodeProto) -> tuple[NodeProto, Layout]:
    """A node on (N, …, C)."""
    value = ctx.values[next(i for i in node.input if i in ctx.values)]
    rank = len(value.shape) + 1
    axes = [0, *range(2, rank), 1]  # where the file's axes are when read
    if node.op_type in ELEMENTWISE:
        _replace_constants(ctx, node, lambda a: _to_channels_first(a, rank))
    elif "channels_last" in node.domain:
        node.domain = ""
        if node.op_type == "Conv":
            if ctx.constant(node, 1).value.ndim != rank:
                refuse("malformed", node, f"weights of shape {ctx.constant(node, 1).value.shape}")
            node.input[1] = _relaid(ctx, node.input[1], lambda a: np.moveaxis(a, -1, 1))
    elif _data_layout(node).endswith("C"):
        _set(node, data_layout="NCHW")
    elif node.op_type in ("Concat", "ReduceMax", "ReduceMean", "ReduceSum", "Squeeze"):
        _replace_axes(ctx, node, axes)
        if node.op_type == "Squeeze":
            gone = _squeezed(ctx, node)  # without channels, or with nothing else, there is one order
            return node, None if 1 in gone or gone == list(range(2, rank)) else LAST
        if not _attribute(node, "keepdims", 1):
            return node, None
    elif node.op_type in ("MatMul", "Gemm"):
        return _over_points(ctx, node), LAST
    elif node.op_type in ("Flatten", "Reshape"):
        shape = value.shape
        order = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), 0, -1).reshape(-1)
        return node, None if np.array_equal(order, np.arange(len(order))) else order
    elif node.op_type != "Shape":
        refuse("channels-last", node, "a channels-first operator on a channels-last value")
    return node, LAST


def _squeezed(ctx: Context, node: NodeProto) -> list[int]:
    """Axes of a Squeeze, once they count channels first."""
    given = _attribute(node, "axes", None)
    if given is None:
        given = ctx.integers(node, 1) if len(node.input) > 1 and node.input[1] else []
    rank = len(ctx.values[node.input[0]].shape) + 1
    return sorted(int(a) % rank for a in given)


def _over_points(ctx: Context, node: NodeProto) -> NodeProto:
    """A matrix product over the channels of every pixel: a convolution of one pixel."""
    weights = ctx.constant(node, 1).value
    if weights.ndim != 2 or node.op_type == "Gemm":
        refuse("channels-last", node, f"a product with weights of shape {weights.shape} over the last axis")
    channels, *pixels = ctx.shape(node)
    if len(weights) != channels:
        refuse("malformed", node, f"weights {weights.shape} on an input of shape {(*pixels, channels)}")
    rank = 1 + len(pixels)
    kernel = _relaid(ctx, node.input[1], lambda a: a.T.reshape(*a.T.shape, *[1] * (rank - 1)))
    return helper.make_node("Conv", [node.input[0], kernel], node.output, node.name)


def _of_features(ctx: Context, node: NodeProto, order: IntArray) -> tuple[NodeProto, Layout]:
    """A node on (N, F), flattened from channels last."""
    inverse = np.argsort(order)

    def features(array: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        return np.take(array, inverse, axis) if array.shape[axis] == len(order) else array

    if node.op_type == "MatMul":
        node.input[1] = _relaid(ctx, node.input[1], lambda a: features(a, 0))
        return node, None
    if node.op_type == "Gemm":
        rows = 1 if _attribute(node, "transB", 0) else 0
        node.input[1] = _relaid(ctx, node.input[1], lambda a: features(a, rows))
        return node, None
    if node.op_type in ELEMENTWISE or node.op_type == "BatchNormalization":
        _replace_constants(ctx, node, features)
    elif node.op_type == "MultiThreshold":
        _replace_constants(ctx, node, lambda a: features(a, 0))
    else:
        refuse("channels-last", node, "an operator on features that were flattened from channels last")
    return node, order


def _replace_constants(ctx: Context, node: NodeProto, move: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    for i, name in enumerate(node.input):
        if name in ctx.constants and ctx.constants[name].value.size > 1:
            node.input[i] = _relaid(ctx, name, move)


def _relaid(ctx: Context, name: str, move: Callable[[NDArray[Any]], NDArray[Any]]) -> str:
    """A constant moved, with its codes and their scale, under a name of its own; values computed from data stay."""
    if name not in ctx.constants:
        return name
    value, codes, scale, ends = ctx.constants[name]
    if codes is not None and scale is not None:
        scale = move(np.broadcast_to(scale, codes.shape)) if scale.size > 1 else scale
        codes = move(codes)
    moved = f"{name} channels first"
    while moved in ctx.constants:
        moved += "'"
    ctx.constants[moved] = Constant(move(value), codes, scale, ends)
    return moved


def _to_channels_first(array: NDArray[Any], rank: int) -> NDArray[Any]:
    """A constant that broadcasts against (N, …, C), as one against (N, C, …)."""
    if array.ndim > rank:
        return array
    return np.moveaxis(array.reshape((1,) * (rank - array.ndim) + array.shape), -1, 1)


def _replace_axes(ctx: Context, node: NodeProto, axes: list[int]) -> None:
    rank = len(axes)
    if len(node.input) > 1 and node.op_type != "Concat":
        node.input[1] = _relaid(ctx, node.input[1], lambda a: np.array([axes[int(i) % rank] for i in a.reshape(-1)]))
        return
    key = "axis" if node.op_type == "Concat" else "axes"
    given = _attribute(node, key, None)
    if given is not None:
        _set(node, **{key: axes[given % rank] if key == "axis" else [axes[i % rank] for i in given]})


def _attribute(node: NodeProto, name: str, default: Any) -> Any:
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _set(node: NodeProto, **attributes: Any) -> None:
    kept = [a for a in node.attribute if a.name not in attributes]
    made = [helper.make_attribute(key, value) for key, value in attributes.items()]
    del node.attribute[:]
    node.attribute.extend([*kept, *made])


def _data_layout(node: NodeProto) -> str:
    layout: bytes = _attribute(node, "data_layout", b"")
    return layout.decode() if node.op_type == "MultiThreshold" and layout != b"NC" else ""


def _permutation(node: NodeProto) -> list[int]:
    return list(_attribute(node, "perm", []))


def _to_first(node: NodeProto) -> bool:
    return _permutation(node) in ([0, 2, 1], [0, 3, 1, 2])


def _to_last(node: NodeProto) -> bool:
    return _permutation(node) in ([0, 2, 1], [0, 2, 3, 1])

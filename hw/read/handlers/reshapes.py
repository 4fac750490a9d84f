"""Flatten, and everything that is a flatten in disguise: Reshape, Squeeze, Shape → Gather → Concat → Reshape."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from onnx import NodeProto

from hw.read.constants import Constant, shape_slice
from hw.read.context import Context
from hw.read.refusals import refuse
from hw.read.values import Codes, Pending, Raw, Value


def flatten(ctx: Context, node: NodeProto) -> Value:
    axis = int(ctx.attributes(node).get("axis", 1))
    value = ctx.value(node)
    if axis not in (1, -len(value.shape)):
        refuse("reshape", node, f"Flatten over axis {axis}")
    return _flat(ctx, node, value)


def reshape(ctx: Context, node: NodeProto) -> Value:
    value = ctx.value(node)
    shape = value.shape
    target = ctx.integers(node, 1)
    sizes = [1, *shape]
    target = [sizes[i] if v == 0 and i < len(sizes) else v for i, v in enumerate(target)]
    return _to(ctx, node, value, target)


def squeeze(ctx: Context, node: NodeProto) -> Value:
    value = ctx.value(node)
    sizes = [1, *value.shape]
    axes = ctx.attributes(node).get("axes") or (ctx.integers(node, 1) if len(node.input) > 1 and node.input[1] else [])
    axes = [int(a) % len(sizes) for a in axes]
    return _to(ctx, node, value, [s for i, s in enumerate(sizes) if i not in axes])


def _to(ctx: Context, node: NodeProto, value: Value, target: list[int]) -> Value:
    shape = value.shape
    total = math.prod(shape)
    known = math.prod([v for v in target if v != -1])
    target = [total // max(known, 1) if v == -1 else v for v in target]
    if target == [1, *shape]:
        return value
    if target != [1, total]:
        refuse("reshape", node, f"reshape of {[1, *shape]} to {target}")
    return _flat(ctx, node, value)


def _flat(ctx: Context, node: NodeProto, value: Value) -> Value:
    shape = value.shape
    if len(shape) == 1:
        return value
    pixels = math.prod(shape[1:])
    if isinstance(value, Raw):
        return replace(value, shape=(shape[0] * pixels,))
    if isinstance(value, Codes):
        scale = np.repeat(value.scale, pixels) if np.ndim(value.scale) else value.scale
        return Codes(ctx.emit.flatten(ctx.name(node), value.int), scale)
    if pixels != 1:
        refuse("not-quantized", node, "flattening values that have no quantizer yet")
    return Pending(ctx.emit.flatten(ctx.name(node), value.int), value.chain)


def shape(ctx: Context, node: NodeProto) -> Constant:
    """The shape of an activation is a constant: one image of known size."""
    channels, *spatial = ctx.shape(node)
    last = ctx.layouts.get(node.input[0]) is not None
    return Constant(shape_slice(node, [1, *spatial, channels] if last else [1, channels, *spatial]))

"""Operators that only renumber elements: Reshape, Flatten, Squeeze, Transpose, Slice, Split, Gather …; and Shape."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from onnx import NodeProto

from crq.hw.ir.layers import IntArray
from crq.hw.read.constants import Constant, shape_slice
from crq.hw.read.context import Context
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Raw, View
from crq.hw.read.view import view_of


def flatten(ctx: Context, node: NodeProto) -> Raw | View:
    axis, shape = int(ctx.attributes(node).get("axis", 1)), _shape(ctx, node)
    if axis not in (1, -len(shape)):
        refuse("reshape", node, f"Flatten over axis {axis}")
    return _to(ctx, node, [1, math.prod(shape)])


def reshape(ctx: Context, node: NodeProto) -> Raw | View:
    sizes = [1, *_shape(ctx, node)]
    kept = not ctx.attributes(node).get("allowzero", 0)
    target = [sizes[i] if v == 0 and kept and i < len(sizes) else v for i, v in enumerate(ctx.integers(node, 1))]
    return _to(ctx, node, target)


def squeeze(ctx: Context, node: NodeProto) -> Raw | View:
    sizes = [1, *_shape(ctx, node)]
    axes = [a % len(sizes) for a in _axes(ctx, node)]
    if not axes or any(sizes[a] != 1 for a in axes):
        refuse("reshape", node, f"a Squeeze of {sizes} by the axes {axes}; expected axes of one element")
    return _to(ctx, node, [s for i, s in enumerate(sizes) if i not in axes])


def unsqueeze(ctx: Context, node: NodeProto) -> Raw | View:
    sizes = iter([1, *_shape(ctx, node)])
    axes = _axes(ctx, node)
    rank = len(axes) + 1 + len(_shape(ctx, node))
    added = {a % rank for a in axes}
    if len(added) < len(axes):
        refuse("malformed", node, f"an Unsqueeze with the axes {axes}, one of them twice")
    return _to(ctx, node, [1 if i in added else next(sizes) for i in range(rank)])


def transpose(ctx: Context, node: NodeProto) -> View:
    view = view_of(ctx, node)
    perm = [int(a) for a in ctx.attributes(node).get("perm", [])]
    if sorted(perm) != list(range(view.places.ndim + 1)) or perm[0] != 0:
        refuse("reshape", node, f"a transposition by {perm} of a tensor of shape {view.shape}")
    return view._replace(places=view.places.transpose([a - 1 for a in perm[1:]]))


def slice_(ctx: Context, node: NodeProto) -> View:
    view, attributes = view_of(ctx, node), ctx.attributes(node)
    if "starts" in attributes:  # before opset 10
        starts, ends = ([int(v) for v in attributes[key]] for key in ("starts", "ends"))
        axes, steps = [int(a) for a in attributes.get("axes", range(len(starts)))], [1] * len(starts)
    else:
        starts, ends = ctx.integers(node, 1), ctx.integers(node, 2)
        axes = ctx.integers(node, 3) if len(node.input) > 3 and node.input[3] else list(range(len(starts)))
        steps = ctx.integers(node, 4) if len(node.input) > 4 and node.input[4] else [1] * len(starts)
    rank = view.places.ndim + 1
    if (
        not len(starts) == len(ends) == len(axes) == len(steps)
        or 0 in steps
        or any(not -rank <= a < rank for a in axes)
    ):
        refuse("malformed", node, f"starts {starts}, ends {ends}, axes {axes}, steps {steps}")
    index = view.places[None]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        index = np.take(index, range(*slice(start, _end(end, step), step).indices(index.shape[axis])), axis)
    return _part(node, view, index)


def _end(end: int, step: int) -> int | None:
    """Exporters write "to the end" as a huge number; of a negative step it is a number below all places."""
    return None if step < 0 and end < -(1 << 30) else end


def split(ctx: Context, node: NodeProto) -> list[View] | list[Raw]:
    value, attributes = ctx.values.get(node.input[0]), ctx.attributes(node)
    if isinstance(value, Raw):
        return _parts_of_input(ctx, node, value)
    view = view_of(ctx, node)
    axis = int(attributes.get("axis", 0)) % (view.places.ndim + 1)
    size, parts = view.places[None].shape[axis], len(node.output)
    each = -(-size // parts)
    sizes = [int(v) for v in attributes.get("split", [])] or [min(each, size - i * each) for i in range(parts)]
    if len(node.input) > 1 and node.input[1]:
        sizes = ctx.integers(node, 1)
    if len(sizes) != parts or sum(sizes) != size or min(sizes) < 1:
        refuse("malformed", node, f"splits axis {axis} of {size} elements into {sizes}")
    return [_part(node, view, part) for part in np.split(view.places[None], np.cumsum(sizes)[:-1], axis)]


def _parts_of_input(ctx: Context, node: NodeProto, value: Raw) -> list[Raw]:
    """Channels of the network's input, before anything was done to it: each part has its own quantizer."""
    sizes = [int(v) for v in ctx.attributes(node).get("split", [])]
    if len(node.input) > 1 and node.input[1]:
        sizes = ctx.integers(node, 1)
    axis = int(ctx.attributes(node).get("axis", 0)) % (len(value.shape) + 1)
    if axis != 1 or value.steps or value.pads or value.first is not None or sum(sizes) != value.shape[0]:
        refuse("input-not-quantized", node)
    starts = np.cumsum([0, *sizes[:-1]]).tolist()
    return [replace(value, shape=(n, *value.shape[1:]), first=a) for n, a in zip(sizes, starts, strict=True)]


def gather(ctx: Context, node: NodeProto) -> View:
    view = view_of(ctx, node)
    axis = int(ctx.attributes(node).get("axis", 0)) % (view.places.ndim + 1)
    places, size = np.asarray(ctx.constant(node, 1).value), view.places[None].shape[axis]
    if places.dtype.kind not in "iu" or places.size == 0 or places.min() < -size or places.max() >= size:
        refuse("malformed", node, f"indices {places.reshape(-1)[:4].tolist()} along an axis of {size}")
    return _part(node, view, np.take(view.places[None], places.astype(np.int64), axis))


def space_to_depth(ctx: Context, node: NodeProto) -> View:
    """Block rows and columns become the slower part of the channel, as the specification has it."""
    view, block = view_of(ctx, node), int(ctx.attributes(node)["blocksize"])
    c, h, w = _image(node, view, block, 1)
    index = view.places.reshape(c, h // block, block, w // block, block).transpose(2, 4, 0, 1, 3)
    return view._replace(places=index.reshape(c * block * block, h // block, w // block))


def depth_to_space(ctx: Context, node: NodeProto) -> View:
    view, attributes = view_of(ctx, node), ctx.attributes(node)
    block = int(attributes["blocksize"])
    c, h, w = _image(node, view, 1, block)
    small = c // (block * block)
    if attributes.get("mode", b"DCR") == b"CRD":
        index = view.places.reshape(small, block, block, h, w).transpose(0, 3, 1, 4, 2)
    else:
        index = view.places.reshape(block, block, small, h, w).transpose(2, 3, 0, 4, 1)
    return view._replace(places=index.reshape(small, h * block, w * block))


def _image(node: NodeProto, view: View, block: int, root: int) -> tuple[int, int, int]:
    if view.places.ndim != 3 or min(block, root) < 1:
        refuse("malformed", node, f"blocks of a tensor of shape {view.shape}")
    c, h, w = view.places.shape
    if h % block or w % block or c % (root * root):
        refuse("malformed", node, f"a tensor of shape {view.shape} has no whole blocks of {max(block, root)}")
    return c, h, w


def _part(node: NodeProto, view: View, index: IntArray) -> View:
    """`index` still has the batch as its first axis."""
    if index.ndim < 2 or index.shape[0] != 1 or not index.size:
        refuse("reshape", node, f"leaves a tensor of shape {index.shape}, whose batch is not one image, or nothing")
    return view._replace(places=index[0])


def _shape(ctx: Context, node: NodeProto) -> tuple[int, ...]:
    """Of input 0 without the batch, whatever it is."""
    value = ctx.values.get(node.input[0])
    return value.shape if isinstance(value, View) else ctx.shape(node)


def _axes(ctx: Context, node: NodeProto) -> list[int]:
    given = ctx.attributes(node).get("axes")
    if given is None:
        given = ctx.integers(node, 1) if len(node.input) > 1 and node.input[1] else []
    return [int(a) for a in given]


def _to(ctx: Context, node: NodeProto, target: list[int]) -> Raw | View:
    shape = _shape(ctx, node)
    known = math.prod([v for v in target if v != -1])
    target = [math.prod(shape) // max(known, 1) if v == -1 else v for v in target]
    if len(target) < 2 or target[0] != 1 or math.prod(target) != math.prod(shape):
        refuse("reshape", node, f"reshape of {[1, *shape]} to {target}")
    value = ctx.values[node.input[0]]
    if isinstance(value, Raw):
        flat = len(target) == 2
        if len(target) > 4 or (not flat and list(shape) != target[1:] and any(np.size(c) > 1 for _, c in value.steps)):
            refuse("reshape", node, f"reshape of the network's input {[1, *shape]} to {target}")
        return replace(value, shape=tuple(target[1:]))
    view = view_of(ctx, node)
    return view._replace(places=view.places.reshape(target[1:]))


def shape(ctx: Context, node: NodeProto) -> Constant:
    """The shape of an activation is a constant: one image of known size."""
    channels, *spatial = _shape(ctx, node)
    last = ctx.layouts.get(node.input[0]) is not None
    return Constant(shape_slice(node, [1, *spatial, channels] if last else [1, channels, *spatial]))

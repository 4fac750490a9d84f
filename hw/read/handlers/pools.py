"""Max, average and global average pools, and Concat."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from onnx import NodeProto

from crq.hw.read.chain import Chain
from crq.hw.read.context import Context
from crq.hw.read.emit import guard
from crq.hw.read.handlers.elementwise import align
from crq.hw.read.handlers.padding import conv_pads
from crq.hw.read.handlers.quantizers import signed
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Pending, Raw, Value


def _geometry(ctx: Context, node: NodeProto, shape: tuple[int, ...]) -> tuple[list[int], list[int], list[int]]:
    attributes = ctx.attributes(node)
    kernel = [int(v) for v in attributes.get("kernel_shape", [])]
    rank = len(shape) - 1
    if len(kernel) != rank:
        refuse("malformed", node, f"kernel_shape {kernel} on an input of shape {shape}")
    stride = [int(v) for v in attributes.get("strides", [1] * rank)]
    dilation = [int(v) for v in attributes.get("dilations", [1] * rank)]
    if dilation != [1] * rank:
        refuse("pool-dilation", node)
    pads = conv_pads(node, attributes, shape[1:], kernel, stride, dilation)
    if attributes.get("ceil_mode", 0) and any(
        (n + pads[i] + pads[i + rank] - kernel[i]) % stride[i] for i, n in enumerate(shape[1:])
    ):
        refuse("ceil-mode", node)
    if any(p >= k for p, k in zip(pads, kernel * 2, strict=True)):
        refuse("malformed", node, f"pads {pads} reach beyond the kernel {kernel}")
    return kernel, stride, pads


def max_pool(ctx: Context, node: NodeProto) -> Value:
    """On codes; on pending integers after applying σ, since a maximum commutes with whatever grows."""
    value = ctx.value(node)
    if isinstance(value, Codes):
        pooled = ctx.emit.max_pool(ctx.name(node), value.int, *_geometry(ctx, node, value.int.shape))
        return Codes(pooled, value.scale)
    pending = signed(ctx, ctx.name(node), ctx.pending(node))
    pooled = ctx.emit.max_pool(ctx.name(node), pending.int, *_geometry(ctx, node, pending.int.shape))
    return Pending(pooled, pending.chain)


def average_pool(ctx: Context, node: NodeProto) -> Pending:
    """A sum, as a depthwise convolution with ones, and a division that waits for the quantizer."""
    x = ctx.codes(node, depthwise=True)
    kernel, stride, pads = _geometry(ctx, node, x.int.shape)
    if any(pads) and not ctx.attributes(node).get("count_include_pad", 0):
        refuse("exclude-pad", node)
    channels = x.int.channels
    guard(ctx.name(node), channels, *kernel)
    ones = np.ones((channels, 1, *kernel), np.int64)
    total = ctx.emit.conv(ctx.name(node), x.int, ones, stride, pads, [1] * len(kernel), channels, type_="TERNARY")
    return _average(x, total, math.prod(kernel))


def global_average_pool(ctx: Context, node: NodeProto) -> Pending:
    x = ctx.codes(node, depthwise=True)
    return _average(x, ctx.emit.global_sum(ctx.name(node), x.int), math.prod(x.int.shape[1:]))


def global_sum(ctx: Context, node: NodeProto) -> Pending:
    x = ctx.codes(node, depthwise=True)
    total = ctx.emit.global_sum(ctx.name(node), x.int)
    return Pending(total, Chain(total.channels).then("Mul", np.asarray(x.scale)))


def global_max_pool(ctx: Context, node: NodeProto) -> Value:
    """A max pool whose window is the image."""
    value = ctx.value(node)
    found = value if isinstance(value, Codes) else signed(ctx, ctx.name(node), ctx.pending(node))
    size = list(found.shape[1:])
    pooled = ctx.emit.max_pool(ctx.name(node), found.int, size, size, [0] * 2 * len(size))
    return Codes(pooled, found.scale) if isinstance(found, Codes) else Pending(pooled, found.chain)


REDUCED: dict[str, Callable[[Context, NodeProto], Value]] = {
    "ReduceMean": global_average_pool, "ReduceSum": global_sum, "ReduceMax": global_max_pool,
}  # fmt: skip


def reduce(ctx: Context, node: NodeProto) -> Value:
    """A mean, sum or maximum over all pixels is a global pool."""
    attributes = ctx.attributes(node)
    axes = attributes.get("axes") or (ctx.integers(node, 1) if len(node.input) > 1 and node.input[1] else [])
    rank = len(ctx.shape(node)) + 1
    if not axes or sorted(int(a) % rank for a in axes) != list(range(2, rank)):
        refuse("unsupported-op", node, f"{node.op_type} over axes {axes}; expected all pixels")
    found = REDUCED[node.op_type](ctx, node)
    assert not isinstance(found, Raw)
    if attributes.get("keepdims", 1):
        return found
    flat = ctx.emit.flatten(f"{ctx.name(node)}_flat", found.int)
    return Codes(flat, found.scale) if isinstance(found, Codes) else Pending(flat, found.chain)


def _average(x: Codes, total: Int, size: int) -> Pending:
    chain = Chain(total.channels).then("Mul", np.asarray(x.scale)).then("Div", np.asarray(np.float32(size)))
    return Pending(total, chain)


def concat(ctx: Context, node: NodeProto) -> Codes:
    if any(ctx.is_constant(node, i) for i in range(len(node.input))):
        refuse("unsupported-op", node, "concatenation with a constant")
    operands = [ctx.codes(node, i) for i in range(len(node.input))]
    axis = int(ctx.attributes(node).get("axis", 1))
    if axis not in (1, -len(operands[0].int.shape)) or len({o.int.shape[1:] for o in operands}) != 1:
        refuse("unsupported-op", node, f"concatenation over axis {axis} of {[o.int.shape for o in operands]}")
    aligned, scale = align(ctx, node, operands)
    return Codes(ctx.emit.concat(ctx.name(node), [a.int for a in aligned]), scale)

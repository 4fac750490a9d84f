"""QuantizeLinear, a Clip behind it, and DequantizeLinear: together they are a quantizer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from crq.hw.read.chain import Quantizer
from crq.hw.read.constants import Constant
from crq.hw.read.context import Context
from crq.hw.read.emit import EXACT_FLOAT32
from crq.hw.read.handlers import elementwise
from crq.hw.read.handlers.quantizers import codes_of
from crq.hw.read.linear import along_axis, type_ends
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Levels, Raw, Value


def quantize(ctx: Context, node: NodeProto) -> Levels:
    value = ctx.value(node)
    scale, zero = _parameters(ctx, node, value.shape)
    points = _constant(ctx, node, 2)
    low, high = type_ends(node, None if points is None else points.value, None if points is None else points.ends)
    return Levels(value, scale, zero, low, high)


def clip(ctx: Context, node: NodeProto) -> Value | Levels:
    """Of integers: a narrower type. Of anything else the operator on floats."""
    levels = ctx.levels(node)
    if levels is None:
        return elementwise.clip(ctx, node)
    low, high = (
        int(ctx.number(node, i)) if len(node.input) > i and node.input[i] else end
        for i, end in ((1, levels.low), (2, levels.high))
    )
    if max(low, levels.low) >= min(high, levels.high):
        refuse("malformed", node, f"clip to [{low}, {high}] of integers from {levels.low} to {levels.high}")
    return levels._replace(low=max(low, levels.low), high=min(high, levels.high))


def dequantize(ctx: Context, node: NodeProto) -> Codes:
    """round(x / scale) + zero, saturated, less zero: what Quant says with the range moved by the zero point."""
    levels = ctx.levels(node)
    if levels is None:
        return _given_integers(ctx, node)
    source = levels.source
    scale, zero = _parameters(ctx, node, source.shape)
    if not np.array_equal(scale, levels.scale) or zero != levels.zero:
        refuse("between-linear", node, "its scale or zero point is not that of the QuantizeLinear before it")
    known = ctx.scaled_back.get(node.input[0])
    if known is not None:  # tools write one for every reader
        return known
    quantizer = Quantizer(np.asarray(scale), 0, levels.low - zero, levels.high - zero, np.rint)
    ctx.values[node.input[0]] = source  # what the quantizer reads
    found = codes_of(ctx, node, quantizer, scale)
    ctx.values[node.input[0]] = levels
    ctx.scaled_back[node.input[0]] = found
    return found


def _given_integers(ctx: Context, node: NodeProto) -> Codes:
    """On the network's input, which is integers of the file: the host feeds them less their zero point."""
    value = ctx.value(node)
    if not isinstance(value, Raw) or value.ends is None or value.steps:
        refuse("between-linear", node, "it reads no integers of a QuantizeLinear")
    scale, zero = _parameters(ctx, node, value.shape)
    if np.ndim(scale):
        refuse("per-channel-activation", node)
    low, high = value.ends
    steps: tuple[tuple[str, NDArray[Any]], ...] = (("Sub", np.asarray(np.float32(zero))),) if zero else ()
    steps = (*steps, ("Mul", np.asarray(scale)))
    ctx.values[node.input[0]] = Raw(value.port, value.shape, steps)
    return codes_of(ctx, node, Quantizer(np.asarray(scale), 0, low - zero, high - zero, np.rint), scale)


def _parameters(ctx: Context, node: NodeProto, shape: tuple[int, ...]) -> tuple[Any, int]:
    """(scale, zero point): the scale one number or one per channel, float32 as stored."""
    rank = len(shape) + 1
    found = along_axis(node, np.asarray(ctx.constant(node, 1).value), rank)
    scale = ctx.scale(node, found, shape)
    points = _constant(ctx, node, 2)
    values = np.zeros(1, np.int64) if points is None else np.unique(points.value)
    if values.size != 1 or values.dtype.kind not in "iu" or abs(int(values[0])) >= EXACT_FLOAT32:
        refuse("zero-point", node, f"zero points {values.tolist()[:4]}; expected one integer")
    return (np.float32(scale) if not scale.ndim else scale), int(values[0])


def _constant(ctx: Context, node: NodeProto, index: int) -> Constant | None:
    return ctx.constant(node, index) if len(node.input) > index and node.input[index] else None

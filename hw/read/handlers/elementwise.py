"""Mul, Div, Add, Sub, BatchNormalization, Relu, Clip … on integers that wait for their quantizer; and residual Add."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from onnx import NodeProto

from crq.hw.read.context import Context
from crq.hw.read.handlers.activations import same_sum
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Pending, Raw, Value


def affine(ctx: Context, node: NodeProto) -> Value:
    """Mul, Div, Add and Sub with one constant, or of two values of one sum; Add and Sub of two activations."""
    constant_at = [i for i in (0, 1) if ctx.is_constant(node, i)]
    if not constant_at:
        if node.op_type in ("Add", "Sub") and all(ctx.has_codes(node, i) for i in (0, 1)):
            return residual(ctx, node)
        joined = same_sum(ctx, node)
        if joined is None and node.op_type in ("Add", "Sub"):
            return residual(ctx, node)
        if joined is None:
            refuse("unsupported-op", node, f"{node.op_type} of two activations has no multiplier-free form")
        return joined
    k = constant_at[0]
    kind = node.op_type
    if k == 0 and kind == "Div":
        refuse("unsupported-op", node, "a constant divided by an activation")
    if k == 0 and kind == "Sub":
        kind = "RSub"
    value = ctx.value(node, 1 - k)
    if isinstance(value, Raw):
        if any(value.pads):
            refuse("pad", node, "arithmetic on the network's input behind its zeros")
        constant = ctx.per_channel(node, ctx.constant(node, k).value, value.shape)
        return replace(value, steps=(*value.steps, (kind, constant)))
    pending = ctx.pending(node, 1 - k)
    constant = ctx.per_channel(node, ctx.constant(node, k).value, pending.int.shape)
    if kind == "Div" and not constant.all():
        refuse("not-finite", node, "division by zero")
    return Pending(pending.int, pending.chain.then(kind, constant))


def negative(ctx: Context, node: NodeProto) -> Pending:
    pending = ctx.pending(node)
    return Pending(pending.int, pending.chain.then("Mul", np.asarray(np.float32(-1))))


def batch_norm(ctx: Context, node: NodeProto) -> Value:
    """On the network's input it is what the host does, step by step in the order of the specification."""
    value, attributes = ctx.value(node), ctx.attributes(node)
    if attributes.get("training_mode", 0):
        refuse("unsupported-op", node, "batch norm in training mode")
    shape = value.shape[:1] if len(value.shape) > 1 else value.shape
    scale, bias, mean, var = (ctx.per_channel(node, ctx.constant(node, i).value, shape) for i in range(1, 5))
    epsilon = np.asarray(np.float32(attributes.get("epsilon", 1e-5)))
    if (var + epsilon <= 0).any():
        refuse("not-finite", node, "a variance is not positive")
    if isinstance(value, Raw):
        if any(value.pads):
            refuse("pad", node, "a batch norm of the network's input behind its zeros")
        deviation = np.sqrt(var.astype(np.float64) + epsilon)
        steps = (("Sub", mean), ("Div", deviation), ("Mul", scale), ("Add", bias))
        return replace(value, steps=(*value.steps, *steps))
    pending = ctx.pending(node)
    constants = (scale, bias, mean, var, epsilon)
    return Pending(pending.int, pending.chain.then("BatchNormalization", *constants))


def relu(ctx: Context, node: NodeProto) -> Value:
    value = ctx.value(node)
    if isinstance(value, Codes) and value.int.lo.min() >= 0:
        return value
    pending = ctx.pending(node)
    return Pending(pending.int, pending.chain.then("Relu"))


def clip(ctx: Context, node: NodeProto) -> Pending:
    pending = ctx.pending(node)
    attributes = ctx.attributes(node)  # before opset 11 the bounds are attributes
    low, high = (
        ctx.number(node, i) if len(node.input) > i and node.input[i] else float(attributes.get(key, default))
        for i, key, default in ((1, "min", -3.4028234663852886e38), (2, "max", 3.4028234663852886e38))
    )
    if low > high:
        refuse("malformed", node, f"clip to [{low}, {high}]")
    return Pending(pending.int, pending.chain.then("Clip", np.asarray(np.float32(low)), np.asarray(np.float32(high))))


def identity(ctx: Context, node: NodeProto) -> Value:
    return ctx.value(node)


def dropout(ctx: Context, node: NodeProto) -> Value:
    """Nothing, unless the file asks for training."""
    if len(node.input) > 2 and node.input[2] and ctx.number(node, 2):
        refuse("unsupported-op", node, "dropout in training mode")
    return ctx.value(node)


def residual(ctx: Context, node: NodeProto) -> Pending:
    """Sum or difference of two code tensors whose scales differ by a power of two: shifted to the finer one and
    added, in a difference with the sign of the second turned."""
    operands = [ctx.codes(node, i) for i in (0, 1)]
    if operands[0].int.shape != operands[1].int.shape:
        refuse("malformed", node, f"operands of shapes {operands[0].int.shape} and {operands[1].int.shape}")
    aligned, scale = align(ctx, node, operands)
    x, y = (a.int for a in aligned)
    if node.op_type == "Sub":
        y = ctx.emit.negate(f"{ctx.name(node)}_less", y, np.full(y.channels, -1))
    total = ctx.emit.add(ctx.name(node), x, y)
    return Codes(total, scale).pending()


def align(ctx: Context, node: NodeProto, operands: list[Codes]) -> tuple[list[Codes], np.floating]:
    """All operands on the finest of their scales. Refuses scales whose ratio is no power of two."""
    finest = min(float(o.scale) for o in operands)
    result = []
    for i, operand in enumerate(operands):
        mantissa, exponent = math.frexp(float(operand.scale) / finest)
        if mantissa != 0.5 or finest * 2.0 ** (exponent - 1) != float(operand.scale):
            refuse("general-scales", node, f"operand scales {[float(o.scale) for o in operands]}")
        shifted = ctx.emit.shift(f"{ctx.name(node)}_align{i}", operand.int, exponent - 1)
        result.append(Codes(shifted, np.float64(finest)))
    return result, np.float64(finest)

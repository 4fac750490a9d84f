"""Activation functions on integers that wait for their quantizer, and operators of two values of one sum."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto

from crq.hw.read.activations import ACTIVATIONS
from crq.hw.read.context import Context
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Pending, Value


def activation(ctx: Context, node: NodeProto) -> Pending:
    pending = ctx.pending(node)
    attributes = ctx.attributes(node)
    kind = node.op_type
    if kind == "Gelu" and attributes.get("approximate", b"none") == b"tanh":
        kind = "GeluTanh"
    constants = []
    for name, default in ACTIVATIONS[kind].parameters.items():
        value = float(attributes.get(name, default))
        if value < 0:
            refuse("activation", node, f"its {name} is {value:g}; expected none below zero")
        constants.append(np.asarray(np.float32(value)))
    return Pending(pending.int, pending.chain.then(kind, *constants))


def prelu(ctx: Context, node: NodeProto) -> Pending:
    """One slope, or one per channel."""
    pending = ctx.pending(node)
    slope = ctx.per_channel(node, ctx.constant(node, 1).value, pending.int.shape)
    if (slope < 0).any():
        refuse("activation", node, f"a slope is {slope.min():g}; expected none below zero")
    return Pending(pending.int, pending.chain.then("PRelu", slope))


def power(ctx: Context, node: NodeProto) -> Pending:
    """To a whole exponent, as polynomials of one value have it."""
    pending = ctx.pending(node)
    exponent = ctx.number(node, 1)
    if exponent not in (1, 2, 3, 4):
        refuse("activation", node, f"exponent {exponent:g}; expected 1 to 4")
    return Pending(pending.int, pending.chain.then("Pow", np.asarray(np.float32(exponent))))


def extreme(ctx: Context, node: NodeProto) -> Pending:
    """Max or Min with one constant: a clip with one end."""
    at = [i for i in (0, 1) if i < len(node.input) and ctx.is_constant(node, i)]
    if len(node.input) != 2 or len(at) != 1:
        refuse("unsupported-op", node, f"{node.op_type} of {len(node.input)} activations; expected one and a constant")
    pending, bound = ctx.pending(node, 1 - at[0]), np.float32(ctx.number(node, at[0]))
    ends = (bound, np.float32(np.inf)) if node.op_type == "Max" else (np.float32(-np.inf), bound)
    return Pending(pending.int, pending.chain.then("Clip", *(np.asarray(end) for end in ends)))


def same_sum(ctx: Context, node: NodeProto) -> Pending | None:
    """An operator of two values that are made of the same integers, as in x · Sigmoid(x); None of any others."""
    one, other = (ctx.value(node, i) for i in (0, 1))
    if not isinstance(one, Codes | Pending) or not isinstance(other, Codes | Pending):
        return None
    if one.int is not other.int:
        return None
    first, second = (_pending(value) for value in (one, other))
    return Pending(first.int, first.chain.joined(node.op_type, second.chain))


def _pending(value: Value) -> Pending:
    assert isinstance(value, Codes | Pending)
    return value.pending() if isinstance(value, Codes) else value

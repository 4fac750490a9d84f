"""Conv, MatMul and Gemm: integer codes times constant codes; weight scales, bias and alpha follow the sum."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto

from crq.hw.read.chain import Chain
from crq.hw.read.constants import Constant
from crq.hw.read.context import Context
from crq.hw.read.handlers.padding import conv_pads
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Pending
from crq.hw.read.weights import Weights, weights_of


def conv(ctx: Context, node: NodeProto) -> Pending:
    attributes = ctx.attributes(node)
    weights = weights_of(node, ctx.constant(node, 1))
    if weights.codes.ndim < 3:
        refuse("malformed", node, f"weights of shape {weights.codes.shape}; expected (outputs, inputs, kernel …)")
    x = ctx.codes(node, depthwise=weights.codes.shape[1] == 1)
    rank = weights.codes.ndim - 2
    groups = int(attributes.get("group", 1))
    if rank not in (1, 2) or rank != len(x.int.shape) - 1:
        refuse("malformed", node, f"weights of {weights.codes.ndim} dimensions on an input of shape {x.int.shape}")
    kernel = attributes.get("kernel_shape")
    if kernel is not None and list(kernel) != list(weights.codes.shape[2:]):
        refuse("malformed", node, f"kernel_shape {list(kernel)} with weights of shape {weights.codes.shape}")
    outputs, per_group = weights.codes.shape[:2]
    if groups < 1 or per_group * groups != x.int.channels or outputs % groups:
        refuse("malformed", node, f"weights {weights.codes.shape} with group={groups} on {x.int.channels} channels")
    stride = [int(v) for v in attributes.get("strides", [1] * rank)]
    dilation = [int(v) for v in attributes.get("dilations", [1] * rank)]
    pads = conv_pads(node, attributes, x.int.shape[1:], weights.codes.shape[2:], stride, dilation)
    result = ctx.emit.conv(
        ctx.name(node), x.int, weights.codes, stride, pads, dilation, groups, type_=weights.type
    )  # fmt: skip
    return scaled(ctx, node, result, x, weights, bias_at=2)


def matmul(ctx: Context, node: NodeProto) -> Pending:
    if ctx.is_constant(node, 0):
        refuse("unsupported-op", node, "a constant times an activation; expected activation times constant")
    return _product(ctx, node, ctx.constant(node, 1), transposed=False)


def gemm(ctx: Context, node: NodeProto) -> Pending:
    attributes = ctx.attributes(node)
    if attributes.get("transA", 0):
        refuse("unsupported-op", node, "transA=1 is not supported")
    result = _product(ctx, node, ctx.constant(node, 1), transposed=bool(attributes.get("transB", 0)))
    chain = result.chain
    if attributes.get("alpha", 1.0) != 1.0:
        chain = chain.then("Mul", np.asarray(np.float32(attributes["alpha"])))
    if len(node.input) > 2 and node.input[2]:
        bias = ctx.per_channel(node, ctx.constant(node, 2).value, result.int.shape)
        beta = attributes.get("beta", 1.0)
        chain = chain.then("Add", bias if beta == 1.0 else bias.astype(np.float64) * beta)
    return Pending(result.int, chain)


def _product(ctx: Context, node: NodeProto, constant: Constant, transposed: bool) -> Pending:
    x = ctx.codes(node)
    if constant.value.ndim != 2 or len(x.int.shape) != 1:
        refuse("no-vector", node, f"weights {constant.value.shape} on an input of shape {x.int.shape}")
    weights = weights_of(node, constant if transposed else _transpose(constant))
    if weights.codes.shape[1] != x.int.channels:
        refuse("malformed", node, f"{weights.codes.shape[1]} weight rows for {x.int.channels} inputs")
    result = ctx.emit.matmul(ctx.name(node), x.int, weights.codes.T, weights.type)
    return scaled(ctx, node, result, x, weights, bias_at=None)


def _transpose(constant: Constant) -> Constant:
    if constant.codes is None or constant.scale is None:
        return Constant(constant.value.T)
    scale = constant.scale if constant.scale.size == 1 else np.broadcast_to(constant.scale, constant.codes.shape).T
    return Constant(constant.value.T, constant.codes.T, scale)


def scaled(ctx: Context, node: NodeProto, result: Int, x: Codes, weights: Weights, bias_at: int | None) -> Pending:
    """The sum's value: acc × input scale × weight scale (+ bias), each as its own operation."""
    of_input = np.asarray(x.scale)
    if of_input.ndim:  # depthwise: every input channel has its own outputs
        of_input = np.repeat(of_input, result.channels // x.int.channels)
    chain = Chain(result.channels).then("Mul", of_input)
    scale: Any = weights.scale
    if scale.ndim or scale != 1.0:
        chain = chain.then("Mul", np.asarray(scale))
    if bias_at is not None and len(node.input) > bias_at and node.input[bias_at]:
        chain = chain.then("Add", _bias(ctx, node, bias_at, result))
    return Pending(result, chain)


def _bias(ctx: Context, node: NodeProto, index: int, result: Int) -> np.ndarray:
    values = np.asarray(ctx.constant(node, index).value)
    if values.shape not in ((result.channels,), ()):
        refuse("malformed", node, f"a bias of shape {values.shape} for {result.channels} channels")
    if not np.isfinite(values).all():
        refuse("not-finite", node)
    return values

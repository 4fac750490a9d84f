"""Explicit pads from ONNX's pads and auto_pad attributes; and Pad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from onnx import NodeProto

from crq.hw.read.context import Context
from crq.hw.read.emit import guard
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Pending, Raw, Value, View
from crq.hw.read.view import lower, view_of


def conv_pads(
    node: NodeProto,
    attributes: Mapping[str, Any],
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Pads in ONNX order (all begins, then all ends) of a convolution or pool over an image of `size`."""
    if min([*stride, *dilation, *kernel], default=1) < 1:
        refuse("malformed", node, f"kernel {list(kernel)}, strides {list(stride)}, dilations {list(dilation)}")
    if not len(stride) == len(dilation) == len(kernel) == len(size):
        given = f"kernel {list(kernel)}, strides {list(stride)} and dilations {list(dilation)}"
        refuse("malformed", node, f"{given} over {len(size)} dimensions")
    pads = _given_pads(node, attributes, size, kernel, stride, dilation)
    padded = [n + begin + end for n, begin, end in zip(size, pads, pads[len(size) :], strict=False)]
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(span > n for span, n in zip(spans, padded, strict=True)):
        refuse("malformed", node, f"a window of {spans} does not fit its input of {padded} with its pads")
    guard(node.name or node.output[0], *padded)
    return pads


def _given_pads(
    node: NodeProto,
    attributes: Mapping[str, Any],
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if auto in ("NOTSET", ""):
        pads = [int(p) for p in attributes.get("pads", [0] * 2 * len(size))]
        if len(pads) != 2 * len(size) or min(pads, default=0) < 0:
            refuse("malformed", node, f"pads {pads}")
        return pads
    if auto == "VALID":
        return [0] * 2 * len(size)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        refuse("malformed", node, f"auto_pad {auto!r}")
    begins, ends = [], []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return begins + ends


def pad(ctx: Context, node: NodeProto) -> Value | View:
    """Zeros around the pixels, channels of zeros, and what negative pads cut off."""
    attributes = ctx.attributes(node)
    mode = attributes.get("mode", b"constant").decode()
    given = ctx.values[node.input[0]]
    rank = len(given.shape)
    pads, axes = _pads_and_axes(ctx, node, attributes, rank + 1)
    zero = ctx.number(node, 2) if len(node.input) > 2 and node.input[2] else float(attributes.get("value", 0.0))
    if mode != "constant" or zero != 0:
        refuse("pad", node, f"Pad of mode {mode!r} with value {zero:g}")
    if len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        refuse("malformed", node, f"pads {pads} for the axes {axes}")
    begins, ends = (dict(zip(axes, half, strict=True)) for half in (pads[: len(axes)], pads[len(axes) :]))
    around = [(begins.get(a, 0), ends.get(a, 0)) for a in range(rank + 1)]
    guard(ctx.name(node), *(n + a + b for n, (a, b) in zip(given.shape, around[1:], strict=True)))
    if any(around[0]) or min(n + a + b for n, (a, b) in zip(given.shape, around[1:], strict=True)) < 1:
        refuse("pad", node, f"Pad by {pads} over the axes {axes}")
    if isinstance(given, Raw):
        return _before_codes(node, given, around[1:])
    view = view_of(ctx, node)
    cut = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(view.shape, around[1:], strict=True))
    channels = [(max(0, a), max(0, b)) for a, b in around[1:2]] + [(0, 0)] * (rank - 1)
    view = view._replace(places=np.pad(view.places[cut], channels, constant_values=-1))
    spatial = [max(0, half[i]) for i in (0, 1) for half in around[2:]]
    return _around(ctx, node, lower(ctx, node, view), spatial) if any(spatial) else view


def _before_codes(node: NodeProto, given: Raw, around: list[tuple[int, int]]) -> Raw:
    """Of the network's input: its quantizer makes code 0 of them."""
    if any(around[0]) or min(map(min, around)) < 0 or any(given.pads):
        refuse("pad", node, f"Pad by {around} of the network's input before its quantizer")
    pads = (*(a for a, _ in around[1:]), *(b for _, b in around[1:]))
    shape = (given.shape[0], *(n + a + b for n, (a, b) in zip(given.shape[1:], around[1:], strict=True)))
    return replace(given, shape=shape, pads=pads)


def _around(ctx: Context, node: NodeProto, value: Codes | Pending, pads: list[int]) -> Codes | Pending:
    """Zeros stand for zeros: of codes always; of other integers if the operators behind them make zero of it."""
    if isinstance(value, Codes):
        return value._replace(int=ctx.emit.padded(ctx.name(node), value.int, pads))
    nothing = np.zeros((value.int.channels, 1), np.int64)
    if value.chain(nothing, np.float64).any():
        refuse("not-quantized", node)
    return replace(value, int=ctx.emit.padded(ctx.name(node), value.int, pads))


def _pads_and_axes(
    ctx: Context, node: NodeProto, attributes: Mapping[str, Any], rank: int
) -> tuple[list[int], list[int]]:
    """Before opset 11 pads are an attribute; from opset 18 on they may be for some axes only."""
    if "pads" in attributes:
        return [int(p) for p in attributes["pads"]], list(range(rank))
    pads = ctx.integers(node, 1)
    if len(node.input) > 3 and node.input[3]:
        return pads, [a % rank for a in ctx.integers(node, 3)]
    return pads, list(range(rank))

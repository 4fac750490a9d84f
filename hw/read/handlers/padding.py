"""Explicit pads from ONNX's pads and auto_pad attributes; and Pad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import NodeProto

from hw.read.context import Context
from hw.read.emit import guard
from hw.read.refusals import refuse
from hw.read.values import Codes, Value


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


def pad(ctx: Context, node: NodeProto) -> Value:
    """Zeros around the pixels, as a depthwise convolution of ones; `merge_pad` gives them to a Conv behind it."""
    attributes = ctx.attributes(node)
    mode = attributes.get("mode", b"constant").decode()
    rank = len(ctx.shape(node))
    pads, axes = _pads_and_axes(ctx, node, attributes, rank + 1)
    zero = ctx.number(node, 2) if len(node.input) > 2 and node.input[2] else float(attributes.get("value", 0.0))
    if mode != "constant" or zero != 0:
        refuse("pad", node, f"Pad of mode {mode!r} with value {zero:g}")
    if len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        refuse("malformed", node, f"pads {pads} for the axes {axes}")
    begins, ends = (dict(zip(axes, half, strict=True)) for half in (pads[: len(axes)], pads[len(axes) :]))
    if not any(pads):
        return ctx.value(node)
    if min(pads) < 0 or any(begins.get(a, 0) or ends.get(a, 0) for a in (0, 1)):
        refuse("pad", node, f"Pad by {pads} over the axes {axes}")
    spatial = range(2, rank + 1)
    x = ctx.codes(node, depthwise=True)
    ones = np.ones((x.int.channels, 1, *[1] * len(spatial)), np.int64)
    around = [half.get(a, 0) for half in (begins, ends) for a in spatial]
    single = [1] * len(spatial)
    padded = ctx.emit.conv(ctx.name(node), x.int, ones, single, around, single, x.int.channels, type_="TERNARY")
    return Codes(padded, x.scale)


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

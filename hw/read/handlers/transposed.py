"""ConvTranspose: a convolution whose outputs are the pixels of a block, one kernel for each, and their enlargement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import NodeProto

from crq.hw.ir.layers import IntArray
from crq.hw.read.constants import Constant
from crq.hw.read.context import Context
from crq.hw.read.emit import guard
from crq.hw.read.handlers.macs import scaled
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Pending, View
from crq.hw.read.weights import weights_of


class Axis(NamedTuple):
    """One dimension: `size` pixels become `out`; the pads are those that `out` leaves of the whole result."""

    size: int
    kernel: int
    stride: int
    dilation: int
    begin: int
    out: int

    @property
    def taps(self) -> list[tuple[int, int, int]]:
        """(pixel of a block, tap of the kernel, input pixel from the block's own)."""
        return [
            (r, k, (r + self.begin - k * self.dilation) // self.stride)
            for r in range(self.stride)
            for k in range(self.kernel)
            if (r + self.begin - k * self.dilation) % self.stride == 0
        ]

    @property
    def blocks(self) -> int:
        return -(-self.out // self.stride)

    def window(self) -> tuple[int, int, int]:
        """(first input pixel from the block's own, span, pad behind) of a convolution that gives all blocks."""
        offsets = [t for _, _, t in self.taps]
        first = min([0, *offsets])
        span = max([0, *offsets]) - first + 1
        behind = self.blocks - self.size + span - 1 + first
        return first, span + max(0, -behind), max(0, behind)


def conv_transpose(ctx: Context, node: NodeProto) -> Pending | View:
    """Each pixel of a block of `strides` pixels has the taps of the kernel that fall on it: none is a product with a
    zero between pixels."""
    attributes, given = ctx.attributes(node), ctx.constant(node, 1)
    groups, rank = int(attributes.get("group", 1)), given.value.ndim - 2
    if rank not in (1, 2) or groups < 1 or given.value.shape[0] % groups:
        refuse("malformed", node, f"weights of shape {given.value.shape} with group={groups}")
    weights = weights_of(node, _outputs_first(given, groups))
    x = ctx.codes(node, depthwise=weights.codes.shape[1] == 1)
    if rank != len(x.shape) - 1 or weights.codes.shape[1] * groups != x.int.channels:
        refuse("malformed", node, f"weights of shape {given.value.shape} with group={groups} on {x.shape}")
    axes = _axes(node, attributes, x.shape[1:], weights.codes.shape[2:])
    name, strides = ctx.name(node), [a.stride for a in axes]
    guard(name, math.prod(strides), *weights.codes.shape)
    codes, single = _of_blocks(weights.codes, axes), [1] * rank
    pads = [-a.window()[0] for a in axes] + [a.window()[2] for a in axes]
    total = ctx.emit.conv(name, x.int, codes, single, pads, single, groups, type_=_type(weights.type, codes))
    if math.prod(strides) > 1:
        total = ctx.emit.enlarge(f"{name}_pixels", total, strides, math.prod(strides))
    found = scaled(ctx, node, total, x, weights, bias_at=2)
    kept = tuple(slice(0, a.out) for a in axes)
    if all(a.blocks * a.stride == a.out for a in axes):
        return found
    places = np.arange(math.prod(found.shape)).reshape(found.shape)
    return View(found, places[(slice(None), *kept)], f"{name}_cut")


def _type(found: str, codes: IntArray) -> str:
    """Taps that no weight falls on are zeros."""
    return "TERNARY" if found == "BIPOLAR" and (codes == 0).any() else found


def _outputs_first(given: Constant, groups: int) -> Constant:
    """Weights (I, O / groups, …) as those of a convolution, (O, I / groups, …)."""

    def turned(array: Any) -> Any:
        inputs, each, *kernel = array.shape
        parts = array.reshape(groups, inputs // groups, each, *kernel)
        return np.moveaxis(parts, 2, 1).reshape(groups * each, inputs // groups, *kernel)

    if given.codes is None or given.scale is None:
        return Constant(turned(given.value))
    scale = given.scale if given.scale.size == 1 else turned(np.broadcast_to(given.scale, given.codes.shape))
    return Constant(turned(given.value), turned(given.codes), scale)


def _of_blocks(codes: IntArray, axes: Sequence[Axis]) -> IntArray:
    """(O · pixels of a block, I / groups, spans) from codes (O, I / groups, kernel)."""
    spans, strides = [a.window()[1] for a in axes], [a.stride for a in axes]
    made = np.zeros((codes.shape[0], *strides, codes.shape[1], *spans), np.int64)
    for taps in np.ndindex(*(len(a.taps) for a in axes)):
        chosen = [(*a.taps[i][:2], a.taps[i][2] - a.window()[0]) for a, i in zip(axes, taps, strict=True)]
        pixels, of_kernel, places = (tuple(column) for column in zip(*chosen, strict=True))
        made[(slice(None), *pixels, slice(None), *places)] += codes[(slice(None), slice(None), *of_kernel)]
    return made.reshape(-1, codes.shape[1], *spans)


def _axes(node: NodeProto, attributes: dict[str, Any], sizes: Sequence[int], kernel: Sequence[int]) -> list[Axis]:
    rank = len(sizes)
    stride, dilation, more = (
        [int(v) for v in attributes.get(key, [default] * rank)]
        for key, default in (("strides", 1), ("dilations", 1), ("output_padding", 0))
    )
    pads = [int(p) for p in attributes.get("pads", [0] * 2 * rank)]
    auto, wanted = attributes.get("auto_pad", b"NOTSET").decode(), list(attributes.get("output_shape", []))[-rank:]
    lists = (stride, dilation, more, kernel, pads[:rank], pads[rank:], wanted or [1] * rank)
    if any(len(values) != rank for values in lists) or min([*stride, *dilation, *kernel]) < 1 or min(pads + more) < 0:
        refuse("malformed", node, f"kernel {list(kernel)}, strides {stride}, dilations {dilation}, pads {pads}")
    if auto not in ("NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER"):
        refuse("malformed", node, f"auto_pad {auto!r}")
    axes = []
    for i, size in enumerate(sizes):
        whole = (size - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 + more[i]
        begin, out = pads[i], whole - pads[i] - pads[i + rank]
        if auto == "VALID":
            begin, out = 0, whole
        if auto.startswith("SAME") or wanted:
            out = int(wanted[i]) if wanted else size * stride[i]
            begin = (whole - out) // 2 if auto == "SAME_UPPER" else -(-(whole - out) // 2)
        if out < 1 or begin < 0:
            refuse("malformed", node, f"{size} pixels become {out}, with {begin} cut off in front")
        axes.append(Axis(size, kernel[i], stride[i], dilation[i], begin, out))
    return axes

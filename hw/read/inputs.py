"""An input of the network where the file reads parts of it, each with a quantizer of its own: channels of one stream.

The host brings all to their codes; a convolution (or product) of single ones gives each part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from crq.hw.ir.host import IDENTITIES
from crq.hw.ir.layers import smallest_format
from crq.hw.read.context import Context, InputPort
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Int


def join_parts(ctx: Context, port: InputPort) -> None:
    """Makes one input of `port` of the parts that were quantized, and the layers that give them. What no quantizer
    reads is 0."""
    shape = port.shape
    lo, hi, scale = np.zeros(shape[0], np.int64), np.zeros(shape[0], np.int64), np.ones(shape[0])
    steps: list[tuple[str, Any]] = []
    for first, part in sorted(port.parts.items()):
        own = slice(first, first + part.codes.int.channels)
        if hi[own].any() or lo[own].any():
            refuse("input-quantizer", f"input {part.codes.int.name!r}", "its channels are quantized twice, otherwise")
        lo[own], hi[own], scale[own] = part.codes.int.lo, part.codes.int.hi, part.codes.scale
        for kind, constant in part.facts["preprocessing"]:
            if kind not in IDENTITIES:
                refuse(
                    "input-quantizer", f"input {part.codes.int.name!r}", f"its step {kind} cannot stand beside others"
                )
            values = np.full(shape[0], IDENTITIES[kind])
            values[own] = constant
            steps.append((kind, values.tolist()))
    zeros = {part.facts["zero_point"] for part in port.parts.values()}
    if len(zeros) > 1:
        refuse("input-quantizer", "inputs", f"have the zero points {sorted(zeros)}; expected one for all")
    whole = Int(ctx.emit.unique(ctx.input_name(port)), shape, lo, hi)
    port.codes = whole
    ctx.emit.types[whole.name] = smallest_format(int(lo.min()), int(hi.max())).qonnx
    ctx.emit.shapes[whole.name] = shape
    for first, part in sorted(port.parts.items(), reverse=True):
        _select(ctx, whole, part.codes.int, first)
    port.facts = {
        "preprocessing": (*steps, ("Div", scale.tolist())), "zero_point": zeros.pop(),
        "range": (lo.tolist(), hi.tolist()),
    }  # fmt: skip


def _select(ctx: Context, whole: Int, part: Int, first: int) -> None:
    """The first node: the channels of `part`, under its name."""
    rank, name = len(whole.shape) - 1, part.name.removesuffix("_out")
    weights = np.eye(whole.channels, dtype=np.int64)[first : first + part.channels]
    ctx.emit.names.discard(name)
    single = [1] * rank
    if rank:
        kernels = weights.reshape(*weights.shape, *single)
        ctx.emit.conv(name, whole, kernels, single, [0] * 2 * rank, single, 1, "TERNARY")
    else:
        ctx.emit.matmul(name, whole, weights.T, "TERNARY")
    ctx.emit.nodes.insert(0, ctx.emit.nodes.pop())

"""Resize and Upsample to the nearest pixel: every pixel becomes a block of its copies, or regular ones are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from onnx import NodeProto

from crq.hw.ir.layers import IntArray
from crq.hw.read.context import Context
from crq.hw.read.emit import guard
from crq.hw.read.refusals import refuse
from crq.hw.read.values import View
from crq.hw.read.view import view_of

HALF = Fraction(1, 2)

COORDINATES: dict[str, Callable[[int, Fraction, int, int], Fraction]] = {
    "asymmetric": lambda x, scale, size, out: x / scale,
    "half_pixel": lambda x, scale, size, out: (x + HALF) / scale - HALF,
    "pytorch_half_pixel": lambda x, scale, size, out: (x + HALF) / scale - HALF if out > 1 else Fraction(0),
    "align_corners": lambda x, scale, size, out: Fraction(x * (size - 1), out - 1) if out > 1 else Fraction(0),
    "tf_half_pixel_for_nn": lambda x, scale, size, out: (x + HALF) / scale,
}
"""Where pixel x of the result lies in the image, by `coordinate_transformation_mode`."""

NEAREST: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda x: math.ceil(x - HALF),
    "round_prefer_ceil": lambda x: math.floor(x + HALF),
}


def resize(ctx: Context, node: NodeProto) -> View:
    """By whole factors, larger or smaller. Refuses every other mode and every factor that skips pixels unevenly."""
    view, attributes = view_of(ctx, node), ctx.attributes(node)
    mode = attributes.get("mode", b"nearest").decode()
    policy = attributes.get("keep_aspect_ratio_policy", b"stretch").decode()
    if mode != "nearest" or policy != "stretch" or attributes.get("antialias", 0):
        refuse("resize", node, f"mode {mode!r}")
    # Upsample, and Resize before opset 11, have neither attribute: they take the pixel at floor(x / scale).
    old = node.op_type == "Upsample" or ctx.opset < 11
    place = attributes.get("coordinate_transformation_mode", b"asymmetric" if old else b"half_pixel").decode()
    nearest = attributes.get("nearest_mode", b"floor" if old else b"round_prefer_floor").decode()
    if place not in COORDINATES or nearest not in NEAREST:
        refuse("resize", node, f"coordinates {place!r}, nearest mode {nearest!r}")
    shape = [1, *view.shape]
    scales = _scales(ctx, node, attributes, shape)
    outputs = [math.floor(n * s) for n, s in zip(shape, scales, strict=True)]
    if scales[:2] != [1, 1] or min(outputs) < 1:
        refuse("resize", node, f"a tensor of shape {shape} scaled by {[float(s) for s in scales]}")
    guard(ctx.name(node), *outputs)
    places = view.places
    for axis, (size, out, scale) in enumerate(zip(shape, outputs, scales, strict=True)):
        if axis > 1 and scale != 1:
            taken = [NEAREST[nearest](COORDINATES[place](x, scale, size, out)) for x in range(out)]
            index = np.clip(np.array(taken), 0, size - 1)
            if not _is_regular(index, size):
                refuse("resize", node, f"{size} pixels become {out} unevenly")
            places = np.take(places, index, axis - 1)
    return view._replace(places=places)


def _is_regular(index: IntArray, size: int) -> bool:
    """Whether every pixel is there equally often, or pixels equally far apart once each."""
    if len(index) >= size:
        return len(index) % size == 0 and np.array_equal(index, np.arange(len(index)) // (len(index) // size))
    return len(set(np.diff(index).tolist())) <= 1


def _scales(ctx: Context, node: NodeProto, attributes: dict[str, Any], shape: list[int]) -> list[Fraction]:
    """Per axis of the tensor with its batch."""
    if "scales" in attributes:  # of Upsample before opset 9
        return _spread(node, [Fraction(float(s)) for s in attributes["scales"]], None, shape)
    at = 1 if len(node.input) == 2 else 2
    axes = [int(a) % len(shape) for a in attributes["axes"]] if "axes" in attributes else None
    if at < len(node.input) and node.input[at]:
        scales = [Fraction(float(s)) for s in ctx.constant(node, at).value.reshape(-1)]
        if scales:
            return _spread(node, scales, axes, shape)
    sizes = ctx.integers(node, 3)
    over = list(range(len(shape))) if axes is None else axes
    if len(sizes) != len(over):
        refuse("malformed", node, f"sizes {sizes} for the axes {over} of a tensor of shape {shape}")
    return _spread(node, [Fraction(n, shape[a]) for n, a in zip(sizes, over, strict=True)], axes, shape)


def _spread(node: NodeProto, scales: list[Fraction], axes: list[int] | None, shape: list[int]) -> list[Fraction]:
    over = list(range(len(shape))) if axes is None else axes
    if len(scales) != len(over) or min(scales) <= 0:
        refuse("malformed", node, f"scales {[float(s) for s in scales]} for the axes {over} of a tensor of {shape}")
    given = dict(zip(over, scales, strict=True))
    return [given.get(a, Fraction(1)) for a in range(len(shape))]

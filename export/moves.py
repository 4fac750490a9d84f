"""Steps that only move integers, and put zeros beside them, in operators of opset 13."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.convert import moved
from crq.convert.step import Step


class Writing(NamedTuple):
    """What a step is written with: `node` (operator, name, input tensors, attributes) gives a node's tensor, `constant`
    (name, values) an initializer; `rank` of the step's result, with the batch."""

    node: Callable[..., str]
    constant: Callable[[str, NDArray[Any]], str]
    rank: int


def _channels(out: Writing, name: str, step: Any, x: str) -> str:
    if -1 in step.index:  # the last channel then is one of zeros
        pads = np.zeros(2 * out.rank, np.int64)
        pads[out.rank + 1] = 1
        x = out.node("Pad", f"{name}_zeros", x, out.constant(f"{name}.zeros", pads))
    return out.node("Gather", name, x, out.constant(f"{name}.index", np.array(step.index)), axis=1)


def _slice(out: Writing, name: str, step: Any, x: str) -> str:
    columns = [(s.start, s.stop, axis, s.step) for axis, s in enumerate(step.slices, 2)]
    parts = zip(("starts", "ends", "axes", "steps"), zip(*columns, strict=True), strict=True)
    return out.node("Slice", name, x, *(out.constant(f"{name}.{key}", np.array(values)) for key, values in parts))


def _pad(out: Writing, name: str, step: Any, x: str) -> str:
    before, after = zip(*step.ends, strict=True)
    return out.node("Pad", name, x, out.constant(f"{name}.pads", np.array([0, 0, *before, 0, 0, *after])))


def _enlarge(out: Writing, name: str, step: Any, x: str) -> str:
    scales = out.constant(f"{name}.scales", np.array([1, 1, *step.factors], np.float32))
    places = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return out.node("Resize", name, x, "", scales, mode="nearest", **places)


def _shuffle(out: Writing, name: str, step: Any, x: str) -> str:
    return out.node("DepthToSpace", name, x, blocksize=step.block, mode="CRD")


def _unshuffle(out: Writing, name: str, step: Any, x: str) -> str:
    """SpaceToDepth has the pixel of a block as the slower part of the channel, torch the faster."""
    pixels, channels = step.block**2, step.channels
    order = np.arange(pixels * channels).reshape(pixels, channels).T.reshape(-1)
    x = out.node("SpaceToDepth", f"{name}_blocks", x, blocksize=step.block)
    return out.node("Gather", name, x, out.constant(f"{name}.index", order), axis=1)


def _row(out: Writing, name: str, step: Any, x: str) -> str:
    operator = "Squeeze" if step.to_signal else "Unsqueeze"
    return out.node(operator, name, x, out.constant("row_axis", np.array([2])))


def _transpose(out: Writing, name: str, step: Any, x: str) -> str:
    return out.node("Transpose", name, x, perm=step.axes)


def _flatten(out: Writing, name: str, step: Any, x: str) -> str:
    return out.node("Flatten", name, x, axis=1)


MOVES: dict[type[Step], Callable[[Writing, str, Any, str], str]] = {
    moved.Channels: _channels, moved.Slice: _slice, moved.Pad: _pad, moved.Enlarge: _enlarge,
    moved.Shuffle: _shuffle, moved.Unshuffle: _unshuffle, moved.Row: _row, moved.Transpose: _transpose,
    moved.Flatten: _flatten,
}  # fmt: skip
"""What writes a step that moves integers."""

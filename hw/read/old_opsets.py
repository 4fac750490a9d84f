"""Operators of old opsets on constants, where onnx's reference implementation begins later or deviates.

Below the opsets of `BELOW` it wants sorted axes, trains batch norms, and lacks DequantizeLinear.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def unsqueeze(x: Array, axes: Sequence[int]) -> Array:
    """Axes count in the result, in any order."""
    rank = x.ndim + len(axes)
    added = {int(a) % rank for a in axes}
    sizes = iter(x.shape)
    return x.reshape([1 if axis in added else next(sizes) for axis in range(rank)])


def squeeze(x: Array, axes: Sequence[int] | None = None) -> Array:
    """Without axes every axis of one element goes. Raises ValueError for an axis of more."""
    gone = {a for a, n in enumerate(x.shape) if n == 1} if axes is None else {int(a) % x.ndim for a in axes}
    if any(x.shape[a] != 1 for a in gone):
        raise ValueError(f"axes {sorted(gone)} of a tensor of shape {x.shape} are not all of one element")
    return x.reshape([n for a, n in enumerate(x.shape) if a not in gone])


def batch_norm(x: Array, scale: Array, bias: Array, mean: Array, var: Array, epsilon: float = 1e-5, **_: Any) -> Array:
    """Inference, channels on axis 1, in the order of the specification."""
    column = (-1, *[1] * (x.ndim - 2))
    deviation = np.sqrt(var.reshape(column) + np.float64(np.float32(epsilon)))
    return np.asarray((x - mean.reshape(column)) / deviation * scale.reshape(column) + bias.reshape(column))


def dequantize_linear(x: Array, scale: Array, zero: Array | None = None, axis: int = 1, **_: Any) -> Array:
    """(x - zero) × scale, in float64; both one number, or one per index of `axis`."""
    shape = [-1 if a == axis % x.ndim else 1 for a in range(x.ndim)] if scale.size > 1 else []
    shift = np.zeros(()) if zero is None else zero.astype(np.float64).reshape(shape if zero.size > 1 else [])
    return np.asarray((x.astype(np.float64) - shift) * scale.reshape(shape))


BELOW: dict[str, tuple[int, Callable[..., Array]]] = {
    "Unsqueeze": (13, unsqueeze),
    "Squeeze": (13, squeeze),
    "BatchNormalization": (14, batch_norm),
    "DequantizeLinear": (19, dequantize_linear),
}
"""By operator: the first opset that onnx's reference takes, and what computes it below."""

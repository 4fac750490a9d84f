"""Real values and input codes: what the host does before the hardware (metadata `crq.input.preprocessing`).

A file may scale and shift its input before the first quantizer; the reader records those steps, in float64 here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crq.hw.ir.graph import Network
from crq.hw.ir.layers import IntArray

Values = NDArray[np.float64]


class Operation(NamedTuple):
    """One step on x with a constant c, how it is undone, and its Python source for the host."""

    do: Callable[[Any, Any], Any]
    undo: Callable[[Any, Any], Any]
    source: str


OPERATIONS = {
    "Add": Operation(operator.add, operator.sub, "x + {c}"),
    "Sub": Operation(operator.sub, operator.add, "x - {c}"),
    "RSub": Operation(lambda x, c: c - x, lambda x, c: c - x, "{c} - x"),
    "Mul": Operation(operator.mul, operator.truediv, "x * {c}"),
    "Div": Operation(operator.truediv, operator.mul, "x / {c}"),
}


IDENTITIES = {"Add": 0.0, "Sub": 0.0, "Mul": 1.0, "Div": 1.0}
"""Constants with which an operation does nothing."""


def steps(network: Network) -> list[tuple[Operation, Values]]:
    """In the order the file has them; constants are () or (C, 1, 1)."""
    recorded = network.metadata.preprocessing
    return [(OPERATIONS[kind], _constant(network, np.asarray(c, np.float64))) for kind, c in recorded]


def _constant(network: Network, values: Values) -> Values:
    """() as it is; one per channel (C,) as (C, 1, 1), repeated for each pixel if the file then flattens its image."""
    if not values.ndim:
        return values
    return np.repeat(values, network.input.shape.c // values.size).reshape(-1, 1, 1)


def to_grid(network: Network, values: ArrayLike) -> Values:
    """Values (N, C, H, W) as the file takes them, in units of the input code, not rounded."""
    x = np.asarray(values, np.float64).reshape(-1, *network.input.shape)
    for step, constant in steps(network):
        x = step.do(x, constant)
    return x / network.input_scale


def to_codes(network: Network, values: ArrayLike) -> IntArray:
    """Values (N, C, H, W) to codes: the file's first quantizer, which rounds half to even and clips."""
    tensor, zero = network.input, network.input_zero_point
    codes = np.rint(to_grid(network, values) + zero) - zero
    return np.clip(codes, tensor.lo[:, None, None], tensor.hi[:, None, None]).astype(np.int64)


def to_values(network: Network, codes: IntArray) -> Values:
    """What the file must be fed so that its first quantizer gives `codes` (N, C, H, W): the steps undone."""
    x: Values = codes * np.float64(network.input_scale)
    for step, constant in reversed(steps(network)):
        x = step.undo(x, constant)
    return x


def _end(values: IntArray) -> str:
    """Of one end of the codes, the number or one per channel."""
    if (values == values[0]).all():
        return str(values[0])
    return f"np.array({values.tolist()}).reshape(-1, 1, 1)"


def host_source(network: Network) -> str:
    """Python lines that turn x as the file takes it into codes and return them (`to_codes`)."""
    lines = [
        f"    x = {step.source.format(c=f'np.array({constant.tolist()!r})' if constant.ndim else float(constant))}\n"
        for step, constant in steps(network)
    ]
    lines.append(f"    x = x / {float(network.input_scale)!r}\n")
    zero, (lo, hi) = network.input_zero_point, (_end(end) for end in (network.input.lo, network.input.hi))
    rounded = f"np.rint(x + {zero}) - {zero}" if zero else "np.rint(x)"
    return "".join([*lines, f"    return np.clip({rounded}, {lo}, {hi}).astype(np.int64)\n"])

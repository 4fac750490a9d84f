"""Real values and input codes: what the host does before the hardware (metadata `crq.input.preprocessing`).

A file may scale and shift its input before the first quantizer; the reader records those steps, in float64 here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import IntArray
from crq.hw.ir.ports import apart, together

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


def steps(entry: Entry) -> list[tuple[Operation, Values]]:
    """In the order the file has them; constants are () or (C, 1, 1)."""
    recorded = entry.facts.preprocessing
    return [(OPERATIONS[kind], _constant(entry, np.asarray(c, np.float64))) for kind, c in recorded]


def _constant(entry: Entry, values: Values) -> Values:
    """() as it is; one per channel (C,) as (C, 1, 1), repeated for each pixel if the file then flattens its image."""
    if not values.ndim:
        return values
    return np.repeat(values, entry.tensor.shape.c // values.size).reshape(-1, 1, 1)


def to_grid(entry: Entry, values: ArrayLike) -> Values:
    """Values (N, C, H, W) of one input as the file takes them, in units of its code, not rounded."""
    x = np.asarray(values, np.float64).reshape(-1, *entry.tensor.shape)
    for step, constant in steps(entry):
        x = step.do(x, constant)
    return x / entry.facts.scale


def quantized(entry: Entry, values: ArrayLike) -> IntArray:
    """Values (N, C, H, W) of one input to codes: the file's first quantizer, which rounds half to even and clips."""
    tensor, zero = entry.tensor, entry.facts.zero_point
    codes = np.rint(to_grid(entry, values) + zero) - zero
    return np.clip(codes, tensor.lo[:, None, None], tensor.hi[:, None, None]).astype(np.int64)


def to_codes(network: Network, values: ArrayLike) -> IntArray:
    """The codes of values (N, C, H, W); of several inputs both as crq.hw.ir.ports has them."""
    parts = apart(network.inputs, np.asarray(values))
    return together([quantized(entry, part) for entry, part in zip(network.entries, parts, strict=True)])


def to_values(network: Network, codes: IntArray) -> Values:
    """What the file must be fed so that its first quantizers give `codes` (N, C, H, W): the steps undone. Of several
    inputs both as crq.hw.ir.ports has them."""
    parts = zip(network.entries, apart(network.inputs, codes), strict=True)
    return together([_undone(entry, part) for entry, part in parts])


def clipped(network: Network, values: ArrayLike, codes: IntArray) -> NDArray[np.float64]:
    """The share of `values` (N, C, …) of each channel that their `codes` miss by more than rounding, since no code
    reaches as far: (C,)."""
    step = np.abs(to_values(network, codes[:1] + 1) - to_values(network, codes[:1]))  # alike in every image
    missed = np.abs(to_values(network, codes) - np.asarray(values)) > 0.5001 * step
    share: NDArray[np.float64] = missed.mean(axis=(0, *range(2, missed.ndim)))
    return share


def _undone(entry: Entry, codes: IntArray) -> Values:
    x: Values = codes * np.float64(entry.facts.scale)
    for step, constant in reversed(steps(entry)):
        x = step.undo(x, constant)
    return x


def _end(values: IntArray) -> str:
    """Of one end of the codes, the number or one per channel."""
    if (values == values[0]).all():
        return str(values[0])
    return f"np.array({values.tolist()}).reshape(-1, 1, 1)"


def host_source(entry: Entry) -> str:
    """Python lines that turn x, values of one input as the file takes them, into codes and return them."""
    lines = [
        f"    x = {step.source.format(c=f'np.array({constant.tolist()!r})' if constant.ndim else float(constant))}\n"
        for step, constant in steps(entry)
    ]
    lines.append(f"    x = x / {float(entry.facts.scale)!r}\n")
    zero, (lo, hi) = entry.facts.zero_point, (_end(end) for end in (entry.tensor.lo, entry.tensor.hi))
    rounded = f"np.rint(x + {zero}) - {zero}" if zero else "np.rint(x)"
    return "".join([*lines, f"    return np.clip({rounded}, {lo}, {hi}).astype(np.int64)\n"])

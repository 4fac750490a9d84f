"""The adder graphs of layers that are unrolled: sums of a window with all weights built in, sums of all pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from crq.hw.errors import HwError
from crq.hw.graphs.graph import Graph
from crq.hw.graphs.prune import pruned
from crq.hw.graphs.search import solve
from crq.hw.graphs.stages import Staged, staged
from crq.hw.ir.digits import MOST_UNROLLED, nonzero_digits, sum_levels
from crq.hw.ir.layers import Conv, IntArray, Mac

# A three-input adder takes one LUT per bit where a LUT has six inputs; elsewhere it would be two adders.
OPERANDS = {"xcup": 3, "xc7": 3, "ecp5": 2, "ice40": 2, "gowin": 2}
HLS_OPERANDS = 3  # HLS tools build for fabrics of 6-input LUTs


@lru_cache(maxsize=256)
def layer_graph(mac: Mac, operands: int = 3) -> Graph:
    """The sums of one output pixel, of its window's elements by kernel row, kernel column and input channel.

    Raises `HwError` naming a layer that is too large.
    """
    if (terms := nonzero_digits(mac)) > MOST_UNROLLED:
        raise HwError(
            f"layer {mac.name!r}: {terms:,} non-zero digits of weights cannot all be built in, at most "
            f"{MOST_UNROLLED:,} can; fold it"
        )
    matrix = window_matrix(mac)
    taps = matrix.shape[1] // mac.input.shape.c
    lo, hi = mac.input.lo, mac.input.hi
    if isinstance(mac, Conv) and any(mac.pads):  # padding is zero
        lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
    ranges = list(zip(lo.tolist(), hi.tolist(), strict=True)) * taps
    return solve(matrix, ranges, operands=operands, levels=sum_levels(mac))


@lru_cache(maxsize=4096)
def layer_stages(mac: Mac, family: str, stages: int, outside: frozenset[int] = frozenset()) -> Staged:
    """The graph of a layer in `stages` for a synthesis family, of windows whose elements `outside` are padding."""
    return staged(pruned(layer_graph(mac, OPERANDS[family]), outside), stages)


@lru_cache(maxsize=256)
def pixel_sum(ends: tuple[int, int], pixels: int, family: str, stages: int) -> Staged:
    """The sum of as many pixels in [`ends`], in `stages`."""
    depth = max(1, (pixels - 1).bit_length())
    graph = solve(np.ones((1, pixels), np.int64), [ends] * pixels, operands=OPERANDS[family], levels=depth)
    return staged(graph, stages)


def window_matrix(mac: Mac) -> IntArray:
    """Weights (O, KH * KW * C): those of other groups are zero."""
    outputs, inputs, kh, kw = mac.weights.shape
    matrix = np.zeros((outputs, kh, kw, mac.groups, inputs), np.int64)
    group = np.arange(outputs) // (outputs // mac.groups)
    matrix[np.arange(outputs), :, :, group] = mac.weights.transpose(0, 2, 3, 1)
    return matrix.reshape(outputs, -1)


def window_weights(mac: Mac, matrix: IntArray) -> IntArray:
    """The weights (O, I / groups, KH, KW) that a matrix of `window_matrix` stands for."""
    outputs, inputs, kh, kw = mac.weights.shape
    group = np.arange(outputs) // (outputs // mac.groups)
    own = matrix.reshape(outputs, kh, kw, mac.groups, inputs)[np.arange(outputs), :, :, group]
    return own.transpose(0, 3, 1, 2)


def element_name(mac: Mac, element: int) -> str:
    """What an element of the window is, in words."""
    if not isinstance(mac, Conv):
        return f"input {element}"
    tap, channel = divmod(element, mac.input.shape.c)
    row, column = divmod(tap, mac.kernel[1])
    return f"row {row}, column {column}, channel {channel}"

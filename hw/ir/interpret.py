"""The integer graph evaluated in NumPy: the expected integers of testbenches and proofs.

Sums run through float64 matrix products, exact while every sum stays below 2^53, which is checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    Flatten,
    GlobalSum,
    IntArray,
    Layer,
    Mac,
    MaxPool,
    Negate,
    Pads,
    Shift,
    Tensor,
    Threshold,
)
from crq.hw.ir.ports import apart, together
from crq.hw.ir.progression import Progression
from crq.hw.ir.scores import EXACT_FLOAT32

EXACT = 1 << 53


def evaluate(network: Network, codes: IntArray, wanted: Callable[[str, IntArray], None] | None = None) -> IntArray:
    """The network's integers (N, C, H, W) for input codes of that shape; `wanted(layer name, values)` sees every layer.

    Of several inputs or outputs, as crq.hw.ir.ports has them. Raises `HwError` naming the layer whose sums exceed 2^53.
    """
    parts = apart(network.inputs, codes.astype(np.int64))
    values: dict[str, IntArray] = {tensor.name: part for tensor, part in zip(network.inputs, parts, strict=True)}
    last_use = {t.name: i for i, layer in enumerate(network) for t in layer.inputs}
    last_use |= {t.name: len(network.layers) for t in network.outputs}
    for i, layer in enumerate(network):
        result = apply(layer, *(values[t.name] for t in layer.inputs))
        values[layer.output.name] = result
        if wanted is not None:
            wanted(layer.name, result)
        for tensor in layer.inputs:
            if last_use[tensor.name] == i:
                values.pop(tensor.name, None)
    return together([values[tensor.name] for tensor in network.outputs])


def from_stream(network: Network, values: IntArray) -> IntArray:
    """The network's result (N, …) in the order that files and PyTorch give it.

    They differ where the network ends by flattening an image: that streams (H, W, C), and files have (C, H, W).
    """
    if not any(isinstance(network.producer(output), Flatten) for output in network.outputs):
        return values
    parts = apart(network.outputs, values)
    return together([_unstreamed(network, *pair) for pair in zip(network.outputs, parts, strict=True)])


def _unstreamed(network: Network, output: Tensor, values: IntArray) -> IntArray:
    last = network.producer(output)
    if not isinstance(last, Flatten):
        return values
    c, h, w = last.input.shape
    return values.reshape(-1, h, w, c).transpose(0, 3, 1, 2).reshape(values.shape)


def to_stream(network: Network, values: IntArray) -> IntArray:
    """The result of one output as files and PyTorch give it, in the order and shape (N, C, H, W) of the network's."""
    [output] = network.outputs
    last = network.producer(output)
    if isinstance(last, Flatten):
        values = values.reshape(-1, *last.input.shape).transpose(0, 2, 3, 1)
    return values.reshape(-1, *output.shape)


def apply(layer: Layer, *inputs: IntArray) -> IntArray:
    """One layer on int64 arrays (N, C, H, W)."""
    return RULES[type(layer)](layer, *inputs)


def _windows(
    x: IntArray, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], pads: Pads, fill: int
) -> IntArray:
    """(N, C, OH, OW, KH, KW) view of the padded image."""
    border = ((0, 0), (0, 0), (pads.top, pads.bottom), (pads.left, pads.right))
    x = np.pad(x, border, constant_values=fill)
    span = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def _check_sums(layer: Mac) -> int:
    """The greatest magnitude of a sum. Raises `HwError` where float64 does not hold it exactly."""
    bound = max(abs(int(layer.output.lo.min())), int(layer.output.hi.max()))
    if bound >= EXACT:
        raise HwError(f"layer {layer.name!r}: sums of {layer.output.format.bits} bits exceed 2^53")
    return bound


def _conv(layer: Conv, x: IntArray) -> IntArray:
    # Every partial sum is in the layer's interval, so a product of matrices in float32 is exact below 2^24.
    bound = max(_check_sums(layer), int(np.abs(x).max(initial=0)))
    kind = np.float32 if bound < EXACT_FLOAT32 else np.float64
    windows = _windows(x.astype(kind), layer.kernel, layer.stride, layer.dilation, layer.pads, 0)
    n, _, h, w = windows.shape[:4]
    groups, per_group = layer.groups, layer.weights.shape[0] // layer.groups
    inputs, fan_in = x.shape[1] // groups, math.prod(layer.weights.shape[1:])
    windows = windows.reshape(n, groups, inputs, *windows.shape[2:])
    columns = windows.transpose(0, 1, 3, 4, 2, 5, 6).reshape(n, groups, h * w, fan_in)
    codes = layer.weights.reshape(groups, per_group, fan_in).astype(kind).transpose(0, 2, 1)
    sums = np.matmul(columns, codes)  # (N, groups, pixels, outputs)
    return np.rint(sums).astype(np.int64).transpose(0, 1, 3, 2).reshape(n, groups * per_group, h, w)


def _dense(layer: Dense, x: IntArray) -> IntArray:
    _check_sums(layer)
    rows = x.reshape(x.shape[0], math.prod(x.shape[1:])).astype(np.float64)
    codes = layer.weights.reshape(layer.weights.shape[0], -1).astype(np.float64)
    return np.rint(rows @ codes.T).astype(np.int64)[:, :, None, None]


def _threshold(layer: Threshold, x: IntArray) -> IntArray:
    if isinstance(layer.thresholds, Progression):
        return layer.qmin + layer.thresholds.met(x.swapaxes(0, 1)).swapaxes(0, 1)
    codes = np.empty_like(x)
    for c, row in enumerate(layer.thresholds):
        codes[:, c] = layer.qmin + np.searchsorted(row, x[:, c], side="right")
    return codes


def _max_pool(layer: MaxPool, x: IntArray) -> IntArray:
    lowest = np.iinfo(np.int64).min
    return _windows(x, layer.kernel, layer.stride, (1, 1), layer.pads, lowest).max(axis=(4, 5))


def _flatten(layer: Flatten, x: IntArray) -> IntArray:
    return x.transpose(0, 2, 3, 1).reshape(x.shape[0], math.prod(x.shape[1:]), 1, 1)


def _negate(layer: Negate, x: IntArray) -> IntArray:
    return x * layer.signs[:, None, None]


def _shift(layer: Shift, x: IntArray) -> IntArray:
    return x << layer.bits


def _add(layer: Add, x: IntArray, y: IntArray) -> IntArray:
    return x + y


def _bias(layer: Bias, x: IntArray) -> IntArray:
    return x + layer.values[:, None, None]


def _global_sum(layer: GlobalSum, x: IntArray) -> IntArray:
    return x.sum(axis=(2, 3), keepdims=True)


def _concat(layer: Concat, *inputs: IntArray) -> IntArray:
    return np.concatenate(inputs, axis=1)


def _arg_max(layer: ArgMax, x: IntArray) -> IntArray:
    return x.argmax(axis=1, keepdims=True)


def _enlarge(layer: Enlarge, x: IntArray) -> IntArray:
    n, channels, h, w = x.shape
    (rows, columns), outputs = layer.factor, channels // layer.parts
    blocks = np.broadcast_to(x.reshape(n, outputs, layer.parts, h, w), (n, outputs, rows * columns, h, w))
    blocks = blocks.reshape(n, outputs, rows, columns, h, w).transpose(0, 1, 4, 2, 5, 3)
    return blocks.reshape(n, outputs, h * rows, w * columns)


RULES: dict[type[Layer], Callable[..., IntArray]] = {
    Conv: _conv, Dense: _dense, Threshold: _threshold, MaxPool: _max_pool, GlobalSum: _global_sum, Add: _add,
    Bias: _bias, Negate: _negate, Shift: _shift, Concat: _concat,
    Enlarge: _enlarge, ArgMax: _arg_max, Flatten: _flatten,
}  # fmt: skip
"""What each kind of layer computes."""

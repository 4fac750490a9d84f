"""The operators of a file that are not left to onnx's reference evaluator, on NumPy arrays.

onnx 1.22's own are not used where they leave the specification: its fast Conv pads VALID and SAME wrongly and the other
is hundreds of times slower; its pools read uneven pads in another order and fail in one dimension; its Squeeze and
Unsqueeze take the axes one by one; its BatchNormalization trains below opset 14; its DequantizeLinear begins with
opset 19. The quantizers are qonnx's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper
from onnx.reference.op_run import OpRun
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.multithreshold import multithreshold
from qonnx.custom_op.general.quant import quant as int_quant
from qonnx.custom_op.general.trunc import trunc_v1, trunc_v2

Array = NDArray[Any]

GENERAL = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"


class Windows:
    """Where the windows of a convolution or pool lie, by the ONNX specification, over an image of `size`."""

    def __init__(
        self, size: Sequence[int], kernel: Sequence[int], auto_pad: str = "NOTSET", ceil_mode: int = 0,
        dilations: Sequence[int] | None = None, pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        rank = len(size)
        self.strides, self.dilations = (list(v) if v else [1] * rank for v in (strides, dilations))
        self.spans = [(k - 1) * d + 1 for k, d in zip(kernel, self.dilations, strict=True)]
        axes = list(zip(size, self.spans, self.strides, strict=True))
        if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
            total = [max((-(-n // s) - 1) * s + span - n, 0) for n, span, s in axes]
            less, more = [t // 2 for t in total], [t - t // 2 for t in total]
            self.begins, self.ends = (less, more) if auto_pad == "SAME_UPPER" else (more, less)
        else:
            given = list(pads) if pads and auto_pad != "VALID" else [0] * 2 * rank
            self.begins, self.ends = given[:rank], given[rank:]
        self.beyond = [0] * rank
        """Rows behind the last pad that windows of `ceil_mode` reach."""
        if ceil_mode:
            self.beyond = [self._beyond(i, n, span, s) for i, (n, span, s) in enumerate(axes)]

    def _beyond(self, axis: int, n: int, span: int, stride: int) -> int:
        padded = n + self.begins[axis] + self.ends[axis]
        last = -(-(padded - span) // stride) * stride  # where the last window starts
        if last >= n + self.begins[axis]:  # windows that start in the right pad are left out
            last -= stride
        return max(last + span - padded, 0)

    def view(self, x: Array, fill: float, beyond: float | None = None) -> Array:
        """(N, C, *outputs, *kernel) of x (N, C, *size) with `fill` in the pads, and `beyond` (or it) behind them."""
        padded = np.pad(x, [(0, 0), (0, 0), *zip(self.begins, self.ends, strict=True)], constant_values=fill)
        behind = [(0, 0), (0, 0), *((0, b) for b in self.beyond)]
        padded = np.pad(padded, behind, constant_values=fill if beyond is None else beyond)
        spatial = tuple(range(2, x.ndim))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.spans, axis=spatial)
        steps = [slice(None, None, step) for step in (*self.strides, *self.dilations)]
        return windows[(slice(None), slice(None), *steps)]


def conv(x: Array, w: Array, b: Array | None = None, group: int = 1, kernel_shape: Any = None, **where: Any) -> Array:
    """x (N, C, *size), w (O, C / group, *kernel): the sum over the kernel's taps, each a product of matrices."""
    kernel = w.shape[2:]
    windows = Windows(x.shape[2:], kernel, **where).view(x, 0.0)
    outputs = windows.shape[2 : x.ndim]
    n, per_group = len(x), w.shape[1]
    taps = w.reshape(group, -1, *w.shape[1:])
    total: Array = np.zeros((n, group, taps.shape[1], int(np.prod(outputs))), np.result_type(x, w))
    for tap in np.ndindex(*kernel):
        total += taps[(..., *tap)] @ windows[(..., *tap)].reshape(n, group, per_group, -1)
    result = total.reshape(n, -1, *outputs)
    return result if b is None else result + _column(b, x.ndim)


def conv_transpose(
    x: Array, w: Array, b: Array | None = None, group: int = 1, auto_pad: str = "NOTSET",
    dilations: Sequence[int] | None = None, kernel_shape: Any = None, output_padding: Sequence[int] | None = None,
    output_shape: Sequence[int] | None = None, pads: Sequence[int] | None = None, strides: Sequence[int] | None = None,
) -> Array:  # fmt: skip
    """x (N, C, *size), w (C, O / group, *kernel): every pixel adds its kernel to the whole result, which is then cut;
    onnx's own reads the weights of groups and of several channels wrongly."""
    size, kernel, rank = np.array(x.shape[2:]), np.array(w.shape[2:]), x.ndim - 2
    step, spread, more = (np.array(v or [d] * rank) for v, d in ((strides, 1), (dilations, 1), (output_padding, 0)))
    whole = (size - 1) * step + (kernel - 1) * spread + 1 + more
    begins, ends = np.array(pads if pads and auto_pad != "VALID" else [0] * 2 * rank).reshape(2, rank)
    if auto_pad.startswith("SAME") or output_shape:
        total = whole - (np.array(output_shape)[-rank:] if output_shape else size * step)
        less, rest = total // 2, total - total // 2
        begins, ends = (less, rest) if auto_pad == "SAME_UPPER" else (rest, less)
    images = x.reshape(len(x), group, -1, *size)
    taps = w.reshape(group, -1, *w.shape[1:])
    result: Array = np.zeros((len(x), group, w.shape[1], *whole), np.result_type(x, w))
    for tap in np.ndindex(*kernel):
        first = np.array(tap) * spread
        where: tuple[Any, ...] = (..., *map(slice, first, first + (size - 1) * step + 1, step))
        result[where] += np.einsum("ngc...,gco->ngo...", images, taps[(..., *tap)])
    kept: tuple[Any, ...] = (..., *map(slice, begins, whole - ends))
    cut: Array = result[kept]
    cut = cut.reshape(len(x), -1, *cut.shape[3:])
    return cut if b is None else cut + _column(b, x.ndim)


def max_pool(x: Array, kernel_shape: Sequence[int], storage_order: int = 0, **where: Any) -> Array:
    windows = Windows(x.shape[2:], kernel_shape, **where).view(x, -np.inf)
    return np.asarray(windows.max(axis=tuple(range(-len(kernel_shape), 0))))


def average_pool(x: Array, kernel_shape: Sequence[int], count_include_pad: int = 0, **where: Any) -> Array:
    """Pads count as zeros if `count_include_pad`, else not at all; what `ceil_mode` reaches behind them never does."""
    windows = Windows(x.shape[2:], kernel_shape, **where)
    axes = tuple(range(-len(kernel_shape), 0))
    counted = windows.view(np.ones_like(x[:1, :1]), float(count_include_pad), beyond=0.0)
    return np.asarray(windows.view(x, 0.0).sum(axis=axes) / counted.sum(axis=axes))


def batch_norm(x: Array, scale: Array, bias: Array, mean: Array, var: Array, epsilon: float = 1e-5, **_: Any) -> Array:
    """Inference, at every opset, in the order of the specification."""
    scale, bias, mean, var = (_column(v, x.ndim) for v in (scale, bias, mean, var))
    return np.asarray((x - mean) / np.sqrt(var + np.float64(np.float32(epsilon))) * scale + bias)


def pad(x: Array, pads: Any, value: Any = None, axes: Any = None, mode: str = "constant") -> Array:
    """Constants around the axes, all unless given; negative pads cut off. Only this mode is read."""
    pads = np.asarray(pads, np.int64)
    begins, ends = np.zeros((2, x.ndim), np.int64)
    over = slice(None) if axes is None else np.asarray(axes) % x.ndim
    begins[over], ends[over] = pads[: len(pads) // 2], pads[len(pads) // 2 :]
    kept = tuple(slice(max(0, -a), n - max(0, -b)) for n, a, b in zip(x.shape, begins, ends, strict=True))
    around = [(max(0, a), max(0, b)) for a, b in zip(begins, ends, strict=True)]
    return np.pad(x[kept], around, constant_values=0.0 if value is None else np.ravel(value)[0])


def squeeze(x: Array, axes: Any = None) -> Array:
    return np.squeeze(x, None if axes is None else tuple(int(a) for a in axes))


def unsqueeze(x: Array, axes: Any) -> Array:
    return np.expand_dims(x, tuple(int(a) for a in axes))


def dequantize_linear(
    x: Array, scale: Array, zero: Array | None = None, axis: int = 1, block_size: int = 0, **_: Any
) -> Array:
    """One scale and zero point, one per index of `axis`, or one per block of `block_size` of them."""

    def spread(values: Array) -> Array:
        if values.size == 1:
            return values.reshape(())
        if block_size:
            return np.take(np.repeat(values, block_size, axis), np.arange(x.shape[axis]), axis)
        return values.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])

    points = 0.0 if zero is None else spread(zero.astype(np.float64))
    return np.asarray((x.astype(np.float64) - points) * spread(scale))


def quantize_linear(
    x: Array, scale: Array, zero: Array | None = None, axis: int = 1, output_dtype: int = 0, **_: Any
) -> Array:  # fmt: skip
    """Half to even, then the zero point, then the ends of its type; float64 has them all."""
    kind = np.dtype(np.uint8) if zero is None and not output_dtype else None
    kind = kind or (zero.dtype if zero is not None else helper.tensor_dtype_to_np_dtype(output_dtype))
    ends = ends_of(kind)
    column = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    steps = scale.astype(np.float64).reshape(column if scale.size > 1 else [])
    points = 0.0 if zero is None else zero.astype(np.float64).reshape(column if zero.size > 1 else [])
    return np.clip(np.rint(x / steps) + points, *ends).astype(kind)


def ends_of(kind: np.dtype[Any]) -> tuple[int, int]:
    """Ends of an integer type, those of less than eight bits too."""
    small = {"uint4": (0, 15), "int4": (-8, 7), "uint2": (0, 3), "int2": (-2, 1)}
    return small.get(kind.name) or (int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def quant(
    x: Array, scale: Array, zero: Array, bits: Array, signed: int = 1, narrow: int = 0, rounding_mode: str = "ROUND"
) -> Array:
    return np.asarray(int_quant(x, scale, zero, bits, signed, narrow, rounding_mode))


def multi_threshold(
    x: Array, thresholds: Array, out_dtype: str = "", out_scale: float = 1.0, out_bias: float = 0.0,
    data_layout: str = "",
) -> Array:  # fmt: skip
    """Without a layout 1-D signals are channels last, as in qonnx."""
    last = data_layout.endswith("C") if data_layout else x.ndim == 3
    return np.asarray(multithreshold(x, thresholds, out_scale, out_bias, channels_last=last))


def bipolar_quant(x: Array, scale: Array) -> Array:
    return np.asarray(binary_quant(x, scale))


def trunc(
    x: Array, scale: Array, zero: Array, bits: Array, *result: Array, rounding_mode: str = "FLOOR", narrow: int = 0,
    signed: int = 1,
) -> Array:  # fmt: skip
    """Version 1 is told the bits of its result, version 2 its scale too."""
    if len(result) == 1:
        return np.asarray(trunc_v1(x, scale, zero, bits, *result, rounding_mode))
    return np.asarray(trunc_v2(x, scale, zero, bits, narrow, signed, *result, rounding_mode))


def _column(values: Array, rank: int) -> Array:
    return values.reshape(-1, *[1] * (rank - 2))


def _channels_last(function: Callable[..., Array], moved: int) -> Callable[..., Array]:
    """`function` with the channels of its first `moved` inputs and of its result behind the pixels."""

    def run(*inputs: Array, **attributes: Any) -> Array:
        first = [np.moveaxis(v, -1, 1) for v in inputs[:moved]]
        return np.moveaxis(function(*first, *inputs[moved:], **attributes), 1, -1)

    return run


def _operator(domain: str, name: str, function: Callable[..., Array]) -> type[OpRun]:
    """`function` as the reference evaluator takes it; attributes that the node leaves out keep their default."""

    def run(self: OpRun, *inputs: Any, **attributes: Any) -> Any:
        return (function(*inputs, **{k: v for k, v in attributes.items() if v is not None}),)

    return type(name, (OpRun,), {"op_domain": domain, "_run": run})


QUANTIZERS: dict[str, Callable[..., Array]] = {
    "Quant": quant, "IntQuant": quant, "BipolarQuant": bipolar_quant, "MultiThreshold": multi_threshold,
    "Trunc": trunc,
}  # fmt: skip
STANDARD: dict[str, Callable[..., Array]] = {
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": max_pool, "AveragePool": average_pool,
    "BatchNormalization": batch_norm, "QuantizeLinear": quantize_linear, "DequantizeLinear": dequantize_linear,
    "Pad": pad, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
}  # fmt: skip
MOVED = {"Conv": 2, "MaxPool": 1, "BatchNormalization": 1}
"""Inputs of qonnx's channels-last operators that are channels last; a convolution's weights lie (O, *kernel, I)."""

OPERATORS: list[type[OpRun]] = [
    *(_operator(GENERAL, name, function) for name, function in QUANTIZERS.items()),
    *(_operator("", name, function) for name, function in STANDARD.items()),
    *(_operator(CHANNELS_LAST, name, _channels_last(STANDARD[name], n)) for name, n in MOVED.items()),
]

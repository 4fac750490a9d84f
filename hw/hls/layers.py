"""hls4ml layers of the crq backend: one class per kind of process.

They derive from hls4ml's `Layer`, not from its `Conv2D` or `Dense`: stock passes match those and would rewrite them.
The facts are in the attribute `process` (`crq.hw.hls.plan.Process`).
"""

from __future__ import annotations

from hls4ml.model.layers import Layer as HlsLayer
from hls4ml.model.layers import register_layer
from hls4ml.model.types import IntegerPrecisionType

from crq.hw.hls.plan import Process, Stream
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    Format,
    GlobalSum,
    Layer,
    MaxPool,
    Negate,
    Shift,
    Threshold,
)


def precision(fmt: Format) -> IntegerPrecisionType:
    return IntegerPrecisionType(width=fmt.bits, signed=fmt.signed)


def hls_shape(stream: Stream) -> list[int]:
    """hls4ml's shape, channels last: [H, W, C], or [C] for a vector."""
    c, h, w = stream.shape
    return [h, w, c] if stream.shape.pixels > 1 else [c]


class CrqLayer(HlsLayer):
    """A process of the plan; its outputs are the plan's streams."""

    def initialize(self) -> None:
        process: Process = self.get_attr("process")
        for name, stream in zip(self.outputs, process.outputs, strict=True):
            self.add_output_variable(
                hls_shape(stream), out_name=name, var_name=stream.name, type_name=stream.type_name,
                precision=precision(stream.tensor.format),
            )  # fmt: skip


class CrqConv(CrqLayer):
    """Ternary or integer convolution, with the thresholds that consume its sums."""


class CrqDense(CrqLayer):
    """Ternary or integer dense layer, with the thresholds that consume its sums."""


class CrqThreshold(CrqLayer):
    """Integers to codes."""


class CrqMaxPool(CrqLayer):
    """Max pool."""


class CrqGlobalSum(CrqLayer):
    """Sum over all pixels of each channel."""


class CrqAdd(CrqLayer):
    """Sum of two tensors."""


class CrqBias(CrqLayer):
    """Adds an integer per channel."""


class CrqNegate(CrqLayer):
    """Changes the sign of some channels."""


class CrqShift(CrqLayer):
    """Left shift."""


class CrqConcat(CrqLayer):
    """Channels of several tensors."""


class CrqEnlarge(CrqLayer):
    """Blocks of pixels in place of each."""


class CrqArgMax(CrqLayer):
    """The channel of the greatest value."""


class CrqCopy(CrqLayer):
    """One stream to several readers."""


class CrqBeats(CrqLayer):
    """A stream in other beats."""


class CrqPixels(CrqLayer):
    """A stream without the pixels that a stride skips."""


CLASSES: dict[type[Layer], type[CrqLayer]] = {
    Conv: CrqConv, Dense: CrqDense, Threshold: CrqThreshold, MaxPool: CrqMaxPool, GlobalSum: CrqGlobalSum,
    Add: CrqAdd, Bias: CrqBias, Negate: CrqNegate, Shift: CrqShift, Concat: CrqConcat,
    Enlarge: CrqEnlarge, ArgMax: CrqArgMax,
}  # fmt: skip
"""The hls4ml layer of each kind of unit."""

LAYERS: tuple[type[CrqLayer], ...] = (*CLASSES.values(), CrqCopy, CrqBeats, CrqPixels)


def class_name(process: Process) -> str:
    if process.unit:
        return CLASSES[type(process.unit.layer)].__name__
    if process.window:
        return CrqPixels.__name__
    return (CrqCopy if process.input.beat == process.output.beat else CrqBeats).__name__


def register_layers() -> None:
    for layer in LAYERS:
        register_layer(layer.__name__, layer)

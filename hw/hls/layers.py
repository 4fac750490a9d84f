"""hls4ml layers of the crq backend: one class per kind of process.

They derive from hls4ml's `Layer`, not from its `Conv2D` or `Dense`: stock passes match those and would rewrite them.
The facts are in the attribute `process` (`hw.hls.plan.Process`).
"""

from __future__ import annotations

from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.types import IntegerPrecisionType

from hw.hls.plan import Process, Stream
from hw.ir.layers import Format


def precision(fmt: Format) -> IntegerPrecisionType:
    return IntegerPrecisionType(width=fmt.bits, signed=fmt.signed)


def hls_shape(stream: Stream) -> list[int]:
    """hls4ml's shape, channels last: [H, W, C], or [C] for a vector."""
    c, h, w = stream.shape
    return [h, w, c] if stream.shape.pixels > 1 else [c]


class CrqLayer(Layer):
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


class CrqCopy(CrqLayer):
    """One stream to several readers."""


LAYERS: tuple[type[CrqLayer], ...] = (
    CrqConv, CrqDense, CrqThreshold, CrqMaxPool, CrqGlobalSum, CrqAdd, CrqBias, CrqNegate, CrqShift, CrqConcat, CrqCopy,
)  # fmt: skip


def class_name(process: Process) -> str:
    return f"Crq{process.unit.layer.kind}" if process.unit else "CrqCopy"


def register_layers() -> None:
    for layer in LAYERS:
        register_layer(layer.__name__, layer)

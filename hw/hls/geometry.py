"""The window of a convolution, dense layer or max pool as the kernels see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw.hls.plan import Process
from hw.ir.layers import Conv, Dense, MaxPool, Pads, Shape


@dataclass(frozen=True)
class Window:
    """A sliding window over a padded image. A dense layer's kernel covers all beats of its input."""

    input: Shape
    output: Shape
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: Pads
    groups: int

    @property
    def padded_pixels(self) -> int:
        height = self.input.h + self.pads.top + self.pads.bottom
        return height * (self.input.w + self.pads.left + self.pads.right)

    def cycles(self, per_output: int) -> int:
        """Clock cycles per image: one per pixel that completes no output, `per_output` for each that does."""
        return self.padded_pixels - self.output.pixels + self.output.pixels * per_output


def window_of(process: Process) -> Window:
    """The window of a process whose layer is a `Conv`, `Dense` or `MaxPool`."""
    assert process.unit is not None
    layer, carried = process.unit.layer, process.input.shape
    if isinstance(layer, Dense):
        line = Shape(carried.c, 1, carried.pixels)
        return Window(line, layer.output.shape, (1, line.w), (1, 1), (1, 1), Pads(0, 0, 0, 0), 1)
    if isinstance(layer, Conv):
        window = Window(
            carried, layer.output.shape, layer.kernel, layer.stride, layer.dilation, layer.pads, layer.groups
        )
    else:
        assert isinstance(layer, MaxPool)
        window = Window(carried, layer.output.shape, layer.kernel, layer.stride, (1, 1), layer.pads, carried.c)
    return _lying(window)


def _lying(window: Window) -> Window:
    """An image one pixel wide streams like one that is one pixel high, which needs no line buffer."""
    pads = window.pads
    if window.input.w > 1 or window.kernel[1] > 1 or pads.left or pads.right:
        return window

    def swap(pair: tuple[int, int]) -> tuple[int, int]:
        return pair[1], pair[0]

    def lie(shape: Shape) -> Shape:
        return Shape(shape.c, shape.w, shape.h)

    return Window(
        lie(window.input), lie(window.output), swap(window.kernel), swap(window.stride), swap(window.dilation),
        Pads(pads.left, pads.top, pads.right, pads.bottom), window.groups,
    )  # fmt: skip


def ordered_weights(layer: Conv | Dense) -> NDArray[np.int8]:
    """Weights as (output channels, products) in the order of the window: kernel row, kernel column, channel."""
    if isinstance(layer, Dense):
        return layer.weights.reshape(layer.weights.shape[0], -1)
    return layer.weights.transpose(0, 2, 3, 1).reshape(layer.weights.shape[0], -1)

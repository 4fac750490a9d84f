"""The window that a unit slides over its input stream: the one geometry of cycle model, estimate, HLS and RTL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crq.hw.dataflow.units import Unit
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    GlobalSum,
    Layer,
    MaxPool,
    Negate,
    Pads,
    Shape,
    Shift,
    Threshold,
)

NO_PADS = Pads(0, 0, 0, 0)


@dataclass(frozen=True)
class Window:
    """A kernel over a padded image, as the image streams; kernel (1, 1) means pixel by pixel."""

    image: Shape
    output: Shape
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pads: Pads = NO_PADS
    groups: int = 1

    @property
    def span(self) -> tuple[int, int]:
        """Rows and columns from the kernel's first tap to its last."""
        (kh, kw), (dh, dw) = self.kernel, self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of the image with its pads."""
        return self.image.h + self.pads.top + self.pads.bottom, self.image.w + self.pads.left + self.pads.right

    @property
    def elements(self) -> int:
        """Values that the registers of the window hold."""
        return self.span[0] * self.span[1] * self.image.c

    def line_bits(self, bits: int) -> int:
        """Bits of the line buffers: all rows of the window but the one that arrives."""
        return (self.span[0] - 1) * self.padded[1] * self.image.c * bits

    def lying(self) -> Window:
        """An image one pixel wide streams like one that is one pixel high, which needs no line buffer."""
        pads = self.pads
        upright = self.image.w > 1 or self.kernel[1] > 1 or pads.left or pads.right
        return self if upright else self.turned()

    def turned(self) -> Window:
        """Rows in place of columns."""
        pads = self.pads

        def swap(pair: tuple[int, int]) -> tuple[int, int]:
            return pair[1], pair[0]

        def turn(shape: Shape) -> Shape:
            return Shape(shape.c, shape.w, shape.h)

        return Window(
            turn(self.image), turn(self.output), swap(self.kernel), swap(self.stride), swap(self.dilation),
            Pads(pads.left, pads.top, pads.right, pads.bottom), self.groups,
        )  # fmt: skip


def window(unit: Unit) -> Window:
    """The window of `unit`. A dense layer sees its input as one row of pixels and a window as long as the row."""
    return WINDOWS[type(unit.layer)](unit.layer, unit.sources[0].shape)


def _conv(layer: Conv, image: Shape) -> Window:
    return Window(image, layer.output.shape, layer.kernel, layer.stride, layer.dilation, layer.pads, layer.groups)


def _max_pool(layer: MaxPool, image: Shape) -> Window:
    return Window(image, layer.output.shape, layer.kernel, layer.stride, pads=layer.pads, groups=image.c)


def _dense(layer: Dense, image: Shape) -> Window:
    return Window(Shape(image.c, 1, image.pixels), layer.output.shape, (1, image.pixels))


def _pixel(layer: Layer, image: Shape) -> Window:
    return Window(image, layer.output.shape, (1, 1))


WINDOWS: dict[type[Layer], Callable[..., Window]] = {
    Conv: _conv, Dense: _dense, MaxPool: _max_pool,
    **dict.fromkeys((Threshold, GlobalSum, Add, Bias, Negate, Shift, Concat, Enlarge, ArgMax), _pixel),
}  # fmt: skip
"""The window of each kind of unit, over the image as it streams."""

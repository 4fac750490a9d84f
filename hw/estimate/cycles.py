"""The cycle model: how many clock cycles each unit needs per image, and when each output appears.

A windowed unit (convolution, dense layer, max pool) visits every pixel of the padded image, one per cycle, and stays
`steps` cycles (the reuse factor) on those that complete a window: interval = positions - windows + windows * steps.
Both hardware forms, HLS and RTL, are built on this loop; they differ in pipeline depth only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw.graph import Network
from hw.layers import Concat, Conv, Dense, Flatten, GlobalSum, MaxPool, Pads, Shape, Tensor
from hw.units import Fold, Unit, units

Times = NDArray[np.int64]

# Cycles from the step that reads the last operands to the output beat, per unit kind: the register stages of
# hw/rtl/lib, checked against Verilator by tests/hw/test_rtl_cycles.py.
RTL_DEPTH = {"Conv": 3, "Dense": 3, "MaxPool": 2, "other": 1}
FIFO_DEPTH_CYCLES = 1  # a beat written in one cycle is readable in the next


class Window(NamedTuple):
    """The window a unit slides over its input stream; `span` includes dilation, (1, 1) means pixel by pixel."""

    image: Shape
    span: tuple[int, int]
    stride: tuple[int, int]
    pads: Pads

    @property
    def padded(self) -> tuple[int, int]:
        return self.image.h + self.pads.top + self.pads.bottom, self.image.w + self.pads.left + self.pads.right


class Cycles(NamedTuple):
    """Cycles of one unit for one image."""

    positions: int
    windows: int
    steps: int

    @property
    def interval(self) -> int:
        """Cycles from one image to the next: the unit's initiation interval."""
        return self.positions - self.windows + self.windows * self.steps


class Pipeline(NamedTuple):
    """The whole network: `interval` is the slowest unit's; `latency` is from first input beat to last output beat."""

    interval: int
    latency: int
    bottleneck: str
    first_output: dict[str, int]
    last_output: dict[str, int]


def stream(network: Network, tensor: Tensor) -> Tensor:
    """The tensor whose beats carry `tensor`: a flattened image still streams pixel by pixel."""
    producer = network.producer(tensor)
    return producer.input if isinstance(producer, Flatten) else tensor


def window(network: Network, unit: Unit) -> Window:
    """The window of `unit`. A dense layer sees its input as one row of pixels and a window as long as the row."""
    layer = unit.layer
    image = stream(network, layer.input).shape
    none = Pads(0, 0, 0, 0)
    if isinstance(layer, Conv):
        (kh, kw), (dh, dw) = layer.kernel, layer.dilation
        return Window(image, ((kh - 1) * dh + 1, (kw - 1) * dw + 1), layer.stride, layer.pads)
    if isinstance(layer, MaxPool):
        return Window(image, layer.kernel, layer.stride, layer.pads)
    if isinstance(layer, Dense):
        return Window(Shape(image.c, 1, image.pixels), (1, image.pixels), (1, 1), none)
    return Window(image, (1, 1), (1, 1), none)


def cycles(network: Network, unit: Unit, fold: Fold) -> Cycles:
    """The cycles of one unit under a folding."""
    rows, columns = window(network, unit).padded
    windowed = isinstance(unit.layer, (Conv, MaxPool, Dense))
    windows = unit.output.shape.pixels if windowed else rows * columns
    return Cycles(rows * columns, windows, 1 if isinstance(unit.layer, Concat) else unit.reuse_factor(fold))


def schedule(network: Network, unit: Unit, fold: Fold, arrivals: Times) -> Times:
    """Cycle in which each output beat appears, for input beats that arrive at `arrivals` and a ready consumer."""
    slide = window(network, unit)
    rows, columns = slide.padded
    steps = cycles(network, unit, fold).steps
    depth = RTL_DEPTH.get(unit.layer.kind, RTL_DEPTH["other"])
    real = np.zeros((rows, columns), bool)
    real[slide.pads.top : rows - slide.pads.bottom, slide.pads.left : columns - slide.pads.right] = True
    completes = np.zeros((rows, columns), bool)
    completes[slide.span[0] - 1 :: slide.stride[0], slide.span[1] - 1 :: slide.stride[1]] = True
    ready = np.zeros(rows * columns, np.int64)
    ready[real.ravel()] = arrivals
    cost = np.where(completes.ravel(), steps, 1)
    # start[i] = max(ready[i], start[i-1] + cost[i-1]), solved in closed form by a running maximum.
    elapsed = np.concatenate([[0], np.cumsum(cost)[:-1]])
    start = np.maximum.accumulate(ready - elapsed) + elapsed
    out = start[completes.ravel()] + steps + depth
    return out[-1:] if isinstance(unit.layer, GlobalSum) else out


def pipeline(network: Network, folds: Mapping[str, Fold]) -> Pipeline:
    """Interval and latency of the network for one image entering at one beat per cycle, FIFOs never full."""
    times: dict[str, Times] = {network.input.name: np.arange(network.input.shape.pixels)}
    intervals: dict[str, int] = {}
    for unit in units(network):
        fold = folds[unit.name]
        arrivals = np.max([times[stream(network, t).name] for t in unit.inputs], axis=0) + FIFO_DEPTH_CYCLES
        times[unit.output.name] = schedule(network, unit, fold, arrivals)
        intervals[unit.name] = cycles(network, unit, fold).interval
    names = {unit.name: times[unit.output.name] for unit in units(network)}
    bottleneck = max(intervals, key=intervals.__getitem__)
    return Pipeline(
        intervals[bottleneck],
        int(times[stream(network, network.output).name][-1]) + 1,
        bottleneck,
        {n: int(t[0]) for n, t in names.items()},
        {n: int(t[-1]) for n, t in names.items()},
    )

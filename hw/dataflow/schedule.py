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

from hw.dataflow.units import Fold, Unit, units
from hw.ir.digits import digits_of
from hw.ir.graph import Network
from hw.ir.layers import Concat, Conv, Dense, Flatten, GlobalSum, Mac, MaxPool, Pads, Shape, Shift, Tensor, Threshold

# Code bits up to which thresholds are compared all at once; wider codes are searched in one pipelined step per bit.
COMPARATOR_BITS = 4

Times = NDArray[np.int64]

MIN_FIFO = 2  # beats
PACED_IMAGES = 4  # images after which the occupancy of every FIFO repeats
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


def depth(unit: Unit, fold: Fold) -> int:
    """Register stages between a unit's last step and its output beat: those of hw/rtl/lib, checked with Verilator.

    HLS chooses its own number of stages; for an HLS project this is an assumption.
    """
    layer = unit.layer
    threshold = unit.threshold or (layer if isinstance(layer, Threshold) else None)
    search = threshold.output.format.bits if threshold else 0
    search = search if search > COMPARATOR_BITS else 0
    if isinstance(layer, MaxPool):
        return 3  # window, operands, beat
    if not isinstance(layer, Mac):
        return search
    if unit.reuse_factor(fold) == 1:
        terms = [int(np.count_nonzero(w)) for w in digits_of(layer)]
        return 2 + tree_registers(max(1, *terms)) + search  # window, tree, beat
    return 4 + tree_registers(fold.simd * digits_of(layer).shape[-1]) + search


def tree_registers(terms: int) -> int:
    """Register stages of an adder tree: after every second level and at the end."""
    return max(1, (int(terms - 1).bit_length() + 1) // 2)


def starts(network: Network, unit: Unit, fold: Fold, arrivals: Times) -> tuple[Times, Times]:
    """(cycle in which each input beat is taken, cycle of the last step of each window) for beats at `arrivals`."""
    slide = window(network, unit)
    rows, columns = slide.padded
    steps = cycles(network, unit, fold).steps
    real = np.zeros((rows, columns), bool)
    real[slide.pads.top : rows - slide.pads.bottom, slide.pads.left : columns - slide.pads.right] = True
    completes = np.zeros((rows, columns), bool)
    completes[slide.span[0] - 1 :: slide.stride[0], slide.span[1] - 1 :: slide.stride[1]] = True
    images = len(arrivals) // int(real.sum())
    takes, gives = np.tile(real.ravel(), images), np.tile(completes.ravel(), images)
    # Padding needs no input: the rows above an image are passed before it arrives, at the earliest after reset, one
    # cycle before the first beat.
    ready = np.full(len(takes), -1)
    ready[takes] = arrivals
    cost = np.where(gives, steps, 1)
    # start[i] = max(ready[i], start[i-1] + cost[i-1]), solved in closed form by a running maximum.
    elapsed = np.concatenate([[0], np.cumsum(cost)[:-1]])
    start = np.maximum.accumulate(ready - elapsed) + elapsed
    windowed = isinstance(unit.layer, (Conv, MaxPool, Dense))
    # A windowed unit takes a beat and then works on it; the others work on it and then let it go.
    taken = start if windowed else start + steps - 1
    return taken[takes], start[gives] + steps


def schedule(network: Network, unit: Unit, fold: Fold, arrivals: Times) -> Times:
    """Cycle in which each output beat appears, for input beats that arrive at `arrivals` and a ready consumer."""
    if isinstance(unit.layer, (Shift, Concat)):
        return arrivals  # wires
    out = starts(network, unit, fold, arrivals)[1] + depth(unit, fold)
    if isinstance(unit.layer, (Conv, MaxPool, Dense)):
        out -= 1
    pixels = unit.layer.input.shape.pixels
    return out[pixels - 1 :: pixels] if isinstance(unit.layer, GlobalSum) else out


def arrivals_at(network: Network, unit: Unit, times: Mapping[str, Times]) -> list[Times]:
    """Per input, the cycles in which its beats leave the FIFO at the earliest. A shift has no FIFO."""
    delay = 0 if isinstance(unit.layer, Shift) else FIFO_DEPTH_CYCLES
    return [times[stream(network, t).name] + delay for t in unit.inputs]


def flow(network: Network, folds: Mapping[str, Fold], entering: Times) -> dict[str, Times]:
    """Tensor name to the cycles of its beats, for input beats (whole images) that enter at `entering`, FIFOs never
    full."""
    times: dict[str, Times] = {network.input.name: entering}
    for unit in units(network):
        arrivals = np.max(arrivals_at(network, unit, times), axis=0)
        times[unit.output.name] = schedule(network, unit, folds[unit.name], arrivals)
    return times


def fifo_depths(network: Network, folds: Mapping[str, Fold]) -> dict[tuple[str, int], int]:
    """(unit, input) to the beats its FIFO must hold for the network to reach the slowest unit's interval.

    Images paced evenly at that interval run without ever filling a FIFO this deep; a network of FIFOs never runs slower
    than a schedule its depths allow, so a source that offers beats as fast as it can reaches the interval too, and
    branches that join again cannot block each other.
    """
    interval = max(cycles(network, u, folds[u.name]).interval for u in units(network))
    pixels = network.input.shape.pixels
    entering = np.arange(PACED_IMAGES * pixels) * interval // pixels
    times, result = flow(network, folds, entering), {}
    for unit in units(network):
        arrivals = arrivals_at(network, unit, times)
        taken = starts(network, unit, folds[unit.name], np.max(arrivals, axis=0))[0]
        for i, own in enumerate(arrivals):
            waiting = np.arange(1, len(own) + 1) - np.searchsorted(taken, own)
            result[unit.name, i] = MIN_FIFO + int(waiting.max()) - 1
    return result


def pipeline(network: Network, folds: Mapping[str, Fold]) -> Pipeline:
    """Interval and latency of the network for one image entering at one beat per cycle, FIFOs never full."""
    times = flow(network, folds, np.arange(network.input.shape.pixels))
    intervals = {u.name: cycles(network, u, folds[u.name]).interval for u in units(network)}
    names = {unit.name: times[unit.output.name] for unit in units(network)}
    bottleneck = max(intervals, key=intervals.__getitem__)
    return Pipeline(
        intervals[bottleneck],
        int(times[stream(network, network.output).name][-1]) + 1,
        bottleneck,
        {n: int(t[0]) for n, t in names.items()},
        {n: int(t[-1]) for n, t in names.items()},
    )

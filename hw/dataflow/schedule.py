"""The cycle model: how many clock cycles each unit needs per image, and when each output appears.

A windowed unit (convolution, dense layer, max pool) visits every pixel of the padded image, one per cycle, and stays
`steps` cycles (the reuse factor) on those that complete a window: interval = positions - windows + windows * steps.
Both hardware forms, HLS and RTL, are built on this loop; they differ in pipeline depth only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw.dataflow.thresholds import search_steps
from hw.dataflow.units import Fold, Unit, units
from hw.dataflow.windows import is_windowed, window
from hw.ir.digits import digits_of
from hw.ir.graph import Network
from hw.ir.layers import Add, Bias, Concat, Conv, Dense, GlobalSum, Layer, Mac, MaxPool, Negate, Shift, Threshold

Times = NDArray[np.int64]

FIFO_DEPTH_CYCLES = 1  # a beat written in one cycle is readable in the next


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


def cycles(network: Network, unit: Unit, fold: Fold) -> Cycles:
    """The cycles of one unit under a folding."""
    rows, columns = window(network, unit).padded
    windows = unit.output.shape.pixels if is_windowed(unit) else rows * columns
    return Cycles(rows * columns, windows, 1 if isinstance(unit.layer, Concat) else unit.reuse_factor(fold))


def depth(unit: Unit, fold: Fold) -> int:
    """Register stages between a unit's last step and its output beat: those of hw/rtl/lib, checked with Verilator.

    HLS chooses its own number of stages; for an HLS project this is an assumption.
    """
    return DEPTHS[type(unit.layer)](unit, fold) + search_steps(unit.quantizer)


def _mac_depth(unit: Unit, fold: Fold) -> int:
    assert isinstance(unit.layer, Mac)
    digits = digits_of(unit.layer)
    if unit.reuse_factor(fold) == 1:
        return 2 + tree_registers(max(1, *(int(np.count_nonzero(w)) for w in digits)))  # window, tree, beat
    return 4 + lane_registers(fold.simd, digits.shape[-1])


def _pool_depth(unit: Unit, fold: Fold) -> int:
    return 3  # window, operands, beat


def _no_depth(unit: Unit, fold: Fold) -> int:
    return 0


DEPTHS: dict[type[Layer], Callable[[Unit, Fold], int]] = {
    **dict.fromkeys((Conv, Dense), _mac_depth),
    MaxPool: _pool_depth,
    **dict.fromkeys((Threshold, GlobalSum, Add, Bias, Negate, Shift, Concat), _no_depth),
}
"""Register stages of each kind of unit, without the search for its codes."""


def lane_products(simd: int, digits: int) -> int:
    """Products that a folded lane (crq_pe) sums: an integer weight has one per pair of signed digits."""
    return simd * ((digits + 1) // 2)


def lane_registers(simd: int, digits: int) -> int:
    """Register stages of a folded lane in front of its accumulator, which adds the last two terms itself: after every
    second level of adders of two. The form for Xilinx has fewer levels and the same stages."""
    return (lane_products(simd, digits) - 1).bit_length() // 2


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
    # A windowed unit takes a beat and then works on it; the others work on it and then let it go.
    taken = start if is_windowed(unit) else start + steps - 1
    return taken[takes], start[gives] + steps


def schedule(network: Network, unit: Unit, fold: Fold, arrivals: Times) -> Times:
    """Cycle in which each output beat appears, for input beats that arrive at `arrivals` and a ready consumer."""
    if unit.is_wires:
        return arrivals
    out = starts(network, unit, fold, arrivals)[1] + depth(unit, fold)
    if is_windowed(unit):
        out -= 1
    pixels = unit.layer.input.shape.pixels
    return out[pixels - 1 :: pixels] if isinstance(unit.layer, GlobalSum) else out


def arrivals_at(network: Network, unit: Unit, times: Mapping[str, Times]) -> list[Times]:
    """Per input, the cycles in which its beats leave the FIFO at the earliest. A shift has no FIFO."""
    delay = 0 if isinstance(unit.layer, Shift) else FIFO_DEPTH_CYCLES
    return [times[network.carried(t).name] + delay for t in unit.inputs]


def flow(network: Network, folds: Mapping[str, Fold], entering: Times) -> dict[str, Times]:
    """Tensor name to the cycles of its beats, for input beats (whole images) that enter at `entering`, FIFOs never
    full."""
    times: dict[str, Times] = {network.input.name: entering}
    for unit in units(network):
        arrivals = np.max(arrivals_at(network, unit, times), axis=0)
        times[unit.output.name] = schedule(network, unit, folds[unit.name], arrivals)
    return times


def pipeline(network: Network, folds: Mapping[str, Fold]) -> Pipeline:
    """Interval and latency of the network for one image entering at one beat per cycle, FIFOs never full."""
    times = flow(network, folds, np.arange(network.input.shape.pixels))
    intervals = {u.name: cycles(network, u, folds[u.name]).interval for u in units(network)}
    names = {unit.name: times[unit.output.name] for unit in units(network)}
    bottleneck = max(intervals, key=intervals.__getitem__)
    return Pipeline(
        intervals[bottleneck],
        int(times[network.carried(network.output).name][-1]) + 1,
        bottleneck,
        {n: int(t[0]) for n, t in names.items()},
        {n: int(t[-1]) for n, t in names.items()},
    )

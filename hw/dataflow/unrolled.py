"""Unrolled networks: every value of an image is a circuit of its own, and an image enters in every cycle.

A unit gives all its pixels at once, a fixed number of cycles after it takes them. Where branches of different length
meet, what comes earlier waits in registers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from crq.hw.dataflow.progressions import Rounding, rounding
from crq.hw.dataflow.schedule import Cycles, graph_stages
from crq.hw.dataflow.stages import code_table
from crq.hw.dataflow.streams import Pipeline
from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Concat, Conv, Enlarge, GlobalSum, IntArray, Mac, MaxPool, Shift, Tensor

EVERY_CYCLE = Cycles(1, 1)
LEVELS = 2  # of adders between two registers

Mask = tuple[bool, ...]
"""Which taps of a window lie inside of its image."""


def fold(unit: Unit) -> Fold:
    """What the unrolled unit computes at once, per output pixel."""
    return Fold(unit.output.shape.c, unit.fan_in)


# -- windows


@lru_cache(maxsize=256)
def taps(layer: Conv | MaxPool) -> IntArray:
    """(output pixels, kernel rows · columns): the pixel of the image under each tap, -1 where it lies outside."""
    image, out, pads = layer.input.shape, layer.output.shape, layer.pads
    dilation = layer.dilation if isinstance(layer, Conv) else (1, 1)

    def places(axis: int, count: int, pad: int) -> IntArray:
        found: IntArray = np.arange(count)[:, None] * layer.stride[axis] - pad
        return found + np.arange(layer.kernel[axis]) * dilation[axis]

    y = places(0, out.h, pads.top)[:, None, :, None]
    x = places(1, out.w, pads.left)[None, :, None, :]
    inside = (y >= 0) & (y < image.h) & (x >= 0) & (x < image.w)
    return np.where(inside, y * image.w + x, -1).reshape(out.pixels, -1)


def mask(window: IntArray) -> Mask:
    """That of a row of `taps`."""
    return tuple((window >= 0).tolist())


def masks(layer: Conv | MaxPool) -> Counter[Mask]:
    """How many windows have which taps inside."""
    return Counter(mask(window) for window in taps(layer))


def outside(inside: Mask, channels: int) -> frozenset[int]:
    """The elements of a window (by tap and channel) that lie outside."""
    return frozenset(t * channels + c for t, within in enumerate(inside) if not within for c in range(channels))


# -- codes


@lru_cache(maxsize=4096)
def codes(unit: Unit) -> tuple[Table | Ramp, Rounding | None] | None:
    """The thresholds of a unit, and the rounding that they are, if any."""
    if unit.quantizer is None:
        return None
    found = sums(unit, True).table if isinstance(unit.layer, Mac) else code_table(unit.quantizer)
    assert found is not None
    return found, rounding(found)


def code_steps(unit: Unit) -> int:
    """Cycles of the search for a code; 0 where all thresholds are compared at once or are a rounding."""
    found = codes(unit)
    return found[0].bits if found and found[0].searched and found[1] is None else 0


# -- cycles


def is_wires(unit: Unit) -> bool:
    """Whether a unit has no circuits at all."""
    return isinstance(unit.layer, (Shift, Concat, Enlarge))


def adder_stages(unit: Unit, levels: int = LEVELS) -> int:
    """Register stages of a unit's adder graphs, `levels` of adders each; 0 if it has none."""
    if isinstance(unit.layer, Mac):
        return graph_stages(unit.layer, levels)
    if isinstance(unit.layer, GlobalSum):
        return max(1, -(-sum_depth(unit.layer) // levels))
    return 0


def sum_depth(layer: GlobalSum) -> int:
    """Levels of two-input adders that the sum of all pixels needs."""
    return (layer.input.shape.pixels - 1).bit_length()


def is_registered(unit: Unit) -> bool:
    """Whether what a unit gives stands in registers behind its last circuit, which is no adder graph."""
    return not is_wires(unit) and (codes(unit) is not None or not isinstance(unit.layer, (Mac, GlobalSum)))


def stages(unit: Unit, levels: int = LEVELS) -> int:
    """Cycles from a unit's inputs to its output."""
    return adder_stages(unit, levels) + code_steps(unit) + is_registered(unit)


def arrivals(network: Network, levels: int = LEVELS) -> dict[str, int]:
    """Tensor name to the cycle, after that of the image, in which its values are there."""
    ready = {tensor.name: 0 for tensor in network.inputs}
    for unit in units(network):
        ready[unit.output.name] = max(ready[t.name] for t in unit.sources) + stages(unit, levels)
    return ready


def waits(network: Network, levels: int = LEVELS) -> dict[str, list[int]]:
    """Tensor name to the cycles, other than 0, that its values wait for those of other branches; ascending.

    All results wait for the last, for a cycle if the whole network is wires.
    """
    ready, found = arrivals(network, levels), dict[str, set[int]]()

    def wait(tensor: Tensor, until: int) -> None:
        found.setdefault(tensor.name, set()).add(until - ready[tensor.name])

    for unit in units(network):
        for tensor in unit.sources:
            wait(tensor, max(ready[t.name] for t in unit.sources))
    for result in network.leaving:
        wait(result, latency_of(network, ready))
    return {name: sorted(cycles - {0}) for name, cycles in found.items() if cycles - {0}}


def pipeline(network: Network, levels: int = LEVELS) -> Pipeline:
    """An image per cycle; the latency is that of the longest path."""
    ready = arrivals(network, levels)
    appears = {unit.name: ready[unit.output.name] for unit in units(network)}
    return Pipeline(1, latency_of(network, ready), "", appears, dict(appears))


def latency_of(network: Network, ready: Mapping[str, int]) -> int:
    """Cycles from an image to its results, which leave together; `ready`: when each tensor is there."""
    return max(1, *(ready[result.name] for result in network.leaving))

"""Area and timing of io_parallel: every output value is a circuit of its own, and an image enters in every cycle.

The circuits are those of folded units with all weights built in, once per output pixel; there are no line buffers, no
multiplexers and no FIFOs. There is no RTL form of it, so nothing here was compared with synthesis: HLS also shares
equal sums between pixels and places its registers by the clock. Assumed are the registers of the RTL form's adder trees
and one register per value that a unit gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from hw.cost.constants import maximum
from hw.cost.graphs import graph_price
from hw.cost.lanes import paired
from hw.cost.resources import Resources
from hw.cost.thresholds import threshold_lanes
from hw.dataflow.schedule import Cycles, graph_stages
from hw.dataflow.streams import Pipeline
from hw.dataflow.thresholds import search_steps
from hw.dataflow.units import Fold, Unit, units
from hw.graphs import solve
from hw.graphs.layer import OPERANDS, layer_graph
from hw.graphs.prune import pruned
from hw.graphs.stages import staged
from hw.ir.graph import Network
from hw.ir.layers import (
    Add,
    Bias,
    Concat,
    Conv,
    Dense,
    GlobalSum,
    Layer,
    Mac,
    MaxPool,
    Negate,
    Shift,
    Tensor,
    Threshold,
)

Mask = tuple[bool, ...]
EVERY_CYCLE = Cycles(1, 1)
LEVELS = 2  # of adders between two registers


def parts(unit: Unit, family: str = "xcup") -> dict[str, Resources]:
    """Circuit name to price, of a whole unit."""
    return PARTS[type(unit.layer)](unit, family)


def _wires(unit: Unit, family: str) -> dict[str, Resources]:
    return {"wires": Resources()}


def _circuits(name: str, price: Callable[..., Resources] | None) -> Callable[[Unit, str], dict[str, Resources]]:
    """The registers of what a unit gives, its thresholds, and a circuit `name` priced from its layer."""

    def circuits(unit: Unit, family: str) -> dict[str, Resources]:
        found = {"registers": Resources(ff=unit.output.shape.size * unit.output.format.bits)}
        threshold = unit.quantizer
        if threshold is not None:
            of_pixel = threshold_lanes(threshold, threshold.output.shape.c, family)
            found["thresholds"] = of_pixel.times(unit.output.shape.pixels)
        if price is not None:
            found[name] = price(unit.layer, family)
        return found

    return circuits


def _maxima(layer: MaxPool, family: str) -> Resources:
    maxima = sum(n * (sum(rows) * sum(columns) - 1) for (rows, columns), n in windows(layer).items())
    return Resources(logic=maxima * layer.output.shape.c * maximum(layer.input.format.bits, family))


def _pixel_sums(layer: GlobalSum, family: str) -> Resources:
    """One adder graph per channel: a tree over its pixels."""
    pixels = layer.input.shape.pixels
    total = Resources()
    for ends, channels in Counter(zip(layer.input.lo.tolist(), layer.input.hi.tolist(), strict=True)).items():
        graph = solve(np.ones((1, pixels), np.int64), [ends] * pixels, operands=OPERANDS[family])
        total = total.plus(graph_price(staged(graph, _stages(pixels)), family).times(channels))
    return total


def _adders(layer: Layer, family: str) -> Resources:
    bits = layer.output.format.bits
    return Resources(logic=layer.output.shape.size * (paired(bits) if family == "ecp5" else bits))


def _sums(mac: Mac, family: str) -> Resources:
    """The adder graph of every output pixel; what lies in the padding is zero and adds nothing."""
    graph, stages_of = layer_graph(mac, OPERANDS[family]), graph_stages(mac, LEVELS)
    if not isinstance(mac, Conv):
        return graph_price(staged(graph, stages_of), family)
    total = Resources()
    for inside, count in windows(mac).items():
        own = pruned(graph, outside(mac, *inside))
        total = total.plus(graph_price(staged(own, stages_of), family).times(count))
    return total


def outside(mac: Conv, rows: Mask, columns: Mask) -> set[int]:
    """The elements of a window whose kernel rows or columns are not inside of the image."""
    channels, width = mac.input.shape.c, len(columns)
    taps = [y * width + x for y, r in enumerate(rows) for x, c in enumerate(columns) if not (r and c)]
    return {tap * channels + c for tap in taps for c in range(channels)}


def windows(layer: Conv | MaxPool) -> Counter[tuple[Mask, Mask]]:
    """How often each pair of (kernel rows, kernel columns) that lie inside of the image occurs among the windows."""
    image, out, pads = layer.input.shape, layer.output.shape, layer.pads
    dilation = layer.dilation if isinstance(layer, Conv) else (1, 1)
    rows = _inside(out.h, image.h, layer.kernel[0], layer.stride[0], dilation[0], pads.top)
    columns = _inside(out.w, image.w, layer.kernel[1], layer.stride[1], dilation[1], pads.left)
    return Counter({(r, c): n * m for r, n in rows.items() for c, m in columns.items()})


def _inside(count: int, size: int, kernel: int, stride: int, dilation: int, pad: int) -> Counter[Mask]:
    starts = np.arange(count)[:, None] * stride - pad
    at: NDArray[np.int64] = starts + np.arange(kernel) * dilation
    masks: Iterable[list[bool]] = ((at >= 0) & (at < size)).tolist()
    return Counter(tuple(mask) for mask in masks)


def stages(unit: Unit) -> int:
    """Register stages of a unit: its adder tree, a search among thresholds, and the register of its values."""
    layer = unit.layer
    if unit.is_wires:
        return 0
    adders = 0
    if isinstance(layer, Mac):
        adders = graph_stages(layer, LEVELS)
    elif isinstance(layer, GlobalSum):
        adders = _stages(layer.input.shape.pixels)
    return adders + search_steps(unit.quantizer) + 1


def _stages(terms: int) -> int:
    return max(1, -(-(terms - 1).bit_length() // LEVELS))


def pipeline(network: Network) -> Pipeline:
    """An image per cycle; the latency is the longest path of stages."""
    ready: dict[str, int] = {network.input.name: 0}

    def at(tensor: Tensor) -> int:
        return ready[network.carried(tensor).name]  # a flattened tensor is the same wires

    appears = {}
    for unit in units(network):
        ready[unit.output.name] = appears[unit.name] = max(at(t) for t in unit.inputs) + stages(unit)
    return Pipeline(1, max(1, at(network.output)), "", appears, dict(appears))


def fold(unit: Unit) -> Fold:
    """What the unrolled unit computes at once, per output pixel."""
    return Fold(unit.output.shape.c, unit.fan_in)


PARTS: dict[type[Layer], Callable[[Unit, str], dict[str, Resources]]] = {
    **dict.fromkeys((Conv, Dense), _circuits("lanes", _sums)),
    MaxPool: _circuits("lanes", _maxima),
    GlobalSum: _circuits("adders", _pixel_sums),
    **dict.fromkeys((Add, Bias, Negate), _circuits("adders", _adders)),
    Threshold: _circuits("", None),
    **dict.fromkeys((Shift, Concat), _wires),
}
"""The circuits of each kind of unit, unrolled."""

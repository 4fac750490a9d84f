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
from hw.cost.lanes import constant_lanes, paired, paired_tree
from hw.cost.primitives import tree_adders, tree_flip_flops
from hw.cost.resources import Resources
from hw.cost.thresholds import threshold_lanes
from hw.dataflow.schedule import Cycles, tree_registers
from hw.dataflow.streams import Pipeline
from hw.dataflow.thresholds import search_steps
from hw.dataflow.units import Fold, Unit, units
from hw.ir.digits import digits_of
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
    bits, terms = layer.input.format.bits, layer.input.shape.pixels
    tree = Resources(
        logic=(paired_tree if family == "ecp5" else tree_adders)(terms, bits), ff=tree_flip_flops(terms, bits)
    )
    return tree.times(layer.output.shape.c)


def _adders(layer: Layer, family: str) -> Resources:
    bits = layer.output.format.bits
    return Resources(logic=layer.output.shape.size * (paired(bits) if family == "ecp5" else bits))


def _sums(mac: Mac, family: str) -> Resources:
    """The adder trees of every output pixel; what lies in the padding is zero and adds nothing."""
    total, codes = Resources(), digits_of(mac)
    if not isinstance(mac, Conv):
        return constant_lanes(codes, mac.input.format, family)
    for (rows, columns), count in windows(mac).items():
        inside = codes[:, :, np.array(rows)][:, :, :, np.array(columns)]
        total = total.plus(constant_lanes(inside, mac.input.format, family).times(count))
    return total


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
    terms = 0
    if isinstance(layer, Mac):
        terms = max(1, *(int(np.count_nonzero(w)) for w in digits_of(layer)))
    elif isinstance(layer, GlobalSum):
        terms = layer.input.shape.pixels
    return (tree_registers(terms) if terms else 0) + search_steps(unit.quantizer) + 1


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

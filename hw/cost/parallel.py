"""Area of io_parallel: what hw.rtl.parallel makes of a network, every output pixel a circuit of its own.

There are no line buffers, no multiplexers and no FIFOs. An HLS tool also shares equal sums between pixels and places
its registers by the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hw.cost.constants import maximum
from hw.cost.elements import adder_bits
from hw.cost.graphs import graph_price
from hw.cost.lanes import paired
from hw.cost.primitives import shift_register
from hw.cost.resources import Resources
from hw.cost.stages import rounded
from hw.cost.thresholds import table_lanes
from hw.dataflow.units import Unit
from hw.dataflow.unrolled import adder_stages, codes, is_registered, masks, outside
from hw.graphs.layer import layer_stages, pixel_sum
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

Parts = dict[str, Resources]


def parts(unit: Unit, family: str = "xcup") -> Parts:
    """Circuit name to price, of a whole unit."""
    found = dict(PARTS[type(unit.layer)](unit, family))
    if (quantizer := codes(unit)) is not None:
        table, plain = quantizer
        channels = unit.output.shape.c
        lanes = rounded(table, plain, channels, family) if plain else table_lanes(table, channels, family)
        found["thresholds"] = lanes.times(unit.output.shape.pixels)
    if is_registered(unit):
        found["registers"] = Resources(ff=unit.output.shape.size * unit.output.format.bits)
    return found


def delay(tensor: Tensor, waits: list[int], family: str = "xcup") -> Resources:
    """The registers of a tensor that is read after each of `waits` cycles, ascending."""
    bits = tensor.shape.size * tensor.format.bits
    lengths = [b - a for a, b in zip([0, *waits], waits, strict=False)]
    return Resources().plus(*(shift_register(bits, n, family) for n in lengths))


def control(latency: int) -> Resources:
    """The flags of the images on their way, and what holds all still where a result is not taken."""
    return Resources(logic=1, ff=latency)


def _maxima(unit: Unit, family: str) -> Parts:
    layer = unit.layer
    assert isinstance(layer, MaxPool)
    maxima = sum(n * (sum(inside) - 1) for inside, n in masks(layer).items())
    logic = maxima * layer.output.shape.c * maximum(layer.input.format.bits, family)
    return {"lanes": Resources(logic=logic)}


def _pixel_sums(unit: Unit, family: str) -> Parts:
    """One adder graph per channel: a tree over its pixels."""
    x, total = unit.layer.input, Resources()
    for ends, channels in Counter(zip(x.lo.tolist(), x.hi.tolist(), strict=True)).items():
        graph = pixel_sum(ends, x.shape.pixels, family, adder_stages(unit))
        total = total.plus(graph_price(graph, family).times(channels))
    return {"adders": total}


def _sums(unit: Unit, family: str) -> Parts:
    """The adder graph of every output pixel; what lies in the padding is zero and adds nothing."""
    mac, total = unit.layer, Resources()
    assert isinstance(mac, Mac)
    if not isinstance(mac, Conv):
        return {"lanes": graph_price(layer_stages(mac, family, adder_stages(unit)), family)}
    for inside, count in masks(mac).items():
        graph = layer_stages(mac, family, adder_stages(unit), outside(inside, mac.input.shape.c))
        total = total.plus(graph_price(graph, family).times(count))
    return {"lanes": total}


def _adders(unit: Unit, family: str) -> Parts:
    one, other = (t.format for t in unit.inputs)
    lanes, out = unit.output.shape.size, unit.layer.output.format.bits
    return {"adders": Resources(logic=adder_bits(lanes, one, other, out, family))}


def _constants(unit: Unit, family: str) -> Parts:
    bits = unit.output.format.bits
    return {"adders": Resources(logic=unit.output.shape.size * (paired(bits) if family == "ecp5" else bits))}


def _none(unit: Unit, family: str) -> Parts:
    return {}


PARTS: dict[type[Layer], Callable[[Unit, str], Parts]] = {
    **dict.fromkeys((Conv, Dense), _sums),
    MaxPool: _maxima,
    GlobalSum: _pixel_sums,
    Add: _adders,
    **dict.fromkeys((Bias, Negate), _constants),
    **dict.fromkeys((Threshold, Shift, Concat), _none),
}
"""The circuits of each kind of unit, unrolled, in front of its thresholds and registers."""

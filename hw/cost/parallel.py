"""Area of io_parallel: what crq.hw.rtl.parallel makes of a network, every output pixel a circuit of its own.

There are no line buffers, no multiplexers and no FIFOs. An HLS tool also shares equal sums between pixels and places
its registers by the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from crq.hw.cost.constants import NEGATE_LUT4, maxima
from crq.hw.cost.elements import adder_bits, first_luts
from crq.hw.cost.graphs import graph_price
from crq.hw.cost.lanes import even
from crq.hw.cost.primitives import shift_register
from crq.hw.cost.resources import Resources
from crq.hw.cost.stages import rounded
from crq.hw.cost.thresholds import table_lanes
from crq.hw.dataflow.units import Unit
from crq.hw.dataflow.unrolled import LEVELS, adder_stages, codes, is_registered, masks, outside
from crq.hw.graphs.layer import layer_stages, pixel_sum
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    Format,
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


def parts(unit: Unit, family: str = "xcup", levels: int = LEVELS) -> Parts:
    """Circuit name to price, of a whole unit with `levels` of adders between two registers."""
    found = dict(PARTS[type(unit.layer)](unit, family, levels))
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


def _maxima(unit: Unit, family: str, levels: int) -> Parts:
    layer = unit.layer
    assert isinstance(layer, MaxPool)
    bits = layer.input.format.bits
    of_channel = sum(n * maxima(sum(inside), bits, family) for inside, n in masks(layer).items())
    return {"lanes": Resources(logic=layer.output.shape.c * of_channel)}


def _pixel_sums(unit: Unit, family: str, levels: int) -> Parts:
    """One adder graph per channel: a tree over its pixels."""
    x, total = unit.layer.input, Resources()
    for ends, channels in Counter(zip(x.lo.tolist(), x.hi.tolist(), strict=True)).items():
        graph = pixel_sum(ends, x.shape.pixels, family, adder_stages(unit, levels))
        total = total.plus(graph_price(graph, family).times(channels))
    return {"adders": total}


def _sums(unit: Unit, family: str, levels: int) -> Parts:
    """The adder graph of every output pixel; what lies in the padding is zero and adds nothing."""
    mac, total = unit.layer, Resources()
    assert isinstance(mac, Mac)
    if not isinstance(mac, Conv):
        return {"lanes": graph_price(layer_stages(mac, family, adder_stages(unit, levels)), family)}
    for inside, count in masks(mac).items():
        graph = layer_stages(mac, family, adder_stages(unit, levels), outside(inside, mac.input.shape.c))
        total = total.plus(graph_price(graph, family).times(count))
    return {"lanes": total}


def _adders(unit: Unit, family: str, levels: int) -> Parts:
    one, other = (t.format for t in unit.inputs)
    lanes, out = unit.output.shape.size, unit.layer.output.format.bits
    return {"adders": Resources(logic=adder_bits(lanes, one, other, out, family))}


def _biases(unit: Unit, family: str, levels: int) -> Parts:
    layer, x, out = unit.layer, unit.inputs[0].format, unit.layer.output.format.bits
    assert isinstance(layer, Bias)
    lanes = sum(even(out) if family == "ecp5" else with_constant(x, int(v), out) for v in layer.values)
    return {"adders": Resources(logic=unit.output.shape.pixels * lanes)}


def with_constant(x: Format, value: int, out: int) -> int:
    """LUTs of x + `value`: where the constant is zero a bit needs none; those of a sign are one."""
    ones = value & ((1 << out) - 1)
    own = x.bits - x.signed
    return (ones & ((1 << own) - 1)).bit_count() + (x.signed and ones >> own != 0)


def _signs(unit: Unit, family: str, levels: int) -> Parts:
    """Opposites; where a channel keeps its sign, bits above its own are no registers."""
    layer, x, out = unit.layer, unit.inputs[0].format, unit.layer.output.format.bits
    assert isinstance(layer, Negate)
    pixels, kept = unit.output.shape.pixels, int((layer.signs > 0).sum())
    each = x.bits
    if family == "ecp5":
        each = NEGATE_LUT4 * x.bits if x.signed else even(out)
    logic = pixels * each * (len(layer.signs) - kept)
    return {"adders": Resources(logic=logic, ff=-pixels * kept * (out - x.bits))}


def _none(unit: Unit, family: str, levels: int) -> Parts:
    return {}


def _places(unit: Unit, family: str, levels: int) -> Parts:
    x = unit.sources[0]
    return {"lanes": Resources(logic=x.shape.pixels * first_luts(x.shape.c, x.format.bits, family))}


PARTS: dict[type[Layer], Callable[[Unit, str, int], Parts]] = {
    **dict.fromkeys((Conv, Dense), _sums),
    MaxPool: _maxima,
    GlobalSum: _pixel_sums,
    Add: _adders,
    Bias: _biases,
    Negate: _signs,
    ArgMax: _places,
    **dict.fromkeys((Threshold, Shift, Concat, Enlarge), _none),
}
"""The circuits of each kind of unit, unrolled, in front of its thresholds and registers."""

"""The comment above each layer, in either form: what it computes, how it is folded, why its widths suffice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crq.hw.dataflow.memory import weights_in_bram
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.graphs.layer import layer_graph
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
    Shape,
    Shift,
    Tensor,
    Threshold,
)


@dataclass(frozen=True)
class Described:
    """A unit as a form has it. `name`: of its function or module; `operands`: of the adders of its graph, at most.

    `inputs`: what it reads; `beats`: channels per beat of each, and of its result behind them. `steps`: cycles per
    output pixel; `cycles`: per image; both None where it is unrolled over all pixels. `memory` tells of its window's.
    """

    name: str
    unit: Unit
    fold: Fold
    operands: int
    inputs: tuple[Tensor, ...]
    beats: tuple[int, ...] = ()
    steps: int | None = None
    cycles: int | None = None
    memory: str = ""


def comment(found: Described) -> str:
    """A `//` comment of several lines."""
    return "\n".join(f"// {line}".rstrip() for line in _lines(found))


def _lines(found: Described) -> list[str]:
    unit, fold, streaming = found.unit, found.fold, found.steps is not None
    layer, threshold, out = unit.layer, unit.threshold, unit.output
    beats = found.beats if streaming else (0,) * (len(found.inputs) + 1)
    lines = [f"{found.name}: {title(layer)}, {_shape(found.inputs[0].shape)} to {_shape(out.shape)}"]
    if isinstance(layer, Mac):
        zeros = layer.weights.size - layer.nonzeros
        kind = "ternary" if layer.multiplier_free else f"{layer.weight_type} (not multiplier-free)"
        place = ", in block RAM" if weights_in_bram(layer, fold) else ", in LUTs"
        place = place if streaming and unit.reuse_factor(fold) > 1 else ""  # else constants of the adders
        lines.append(
            f"  weights      {layer.weights.size} {kind}, {zeros} zero ({zeros / layer.weights.size:.1%}){place}"
        )
        if not streaming or unit.is_unrolled(fold):
            lines.append(f"  sums         {layer_graph(layer, found.operands).summary}")
    if streaming:
        simd = f", SIMD {fold.simd} of {layer.fan_in} products" if isinstance(layer, Mac) else ""
        if isinstance(layer, ArgMax):
            simd = f", SIMD {fold.simd} of {layer.input.shape.c} channels"
        memory = f"; {found.memory}" if found.memory else ""
        lines.append(f"  folding      PE {fold.pe} of {out.shape.c} channels{simd}{memory}")
        lines.append(f"  cycles       {found.steps} per output pixel, {found.cycles} per image")
    for tensor, beat in zip(found.inputs, beats, strict=False):
        lines.append(f"  input        {_format(tensor.format)} in {_interval(tensor)}{_beat(tensor, beat)}")
    if isinstance(layer, Mac):
        lines.append(
            f"  accumulator  {_format(layer.output.format)}: the weights bound every sum to {_interval(layer.output)}"
        )
    if threshold is not None:
        way = WAYS[stage(unit, fold).kind]
        lines.append(f"  thresholds   {threshold.levels} per channel, codes from {threshold.qmin}{way}")
    lines.append(f"  output       {_format(out.format)} in {_interval(out)}{_beat(out, beats[-1])}")
    return lines


def title(layer: Layer) -> str:
    """What a layer computes, in words."""
    return TITLES[type(layer)](layer)


def _beat(tensor: Tensor, beat: int) -> str:
    return f", {beat} of {tensor.shape.c} channels per beat" if 0 < beat < tensor.shape.c else ""


WAYS = {
    "none": "", "compare": "", "round": ", by rounding", "divide": ", along a progression",
    "ramp": ", along a progression, lane by lane",
    "lut": ", searched lane by lane", "bram": ", searched lane by lane in block RAM",
}  # fmt: skip
"""How codes are found, by the kind of stage."""


def _convolution(layer: Conv) -> str:
    extras = _sliding(layer)
    if layer.dilation != (1, 1):
        extras.append(f"dilation {pair(layer.dilation)}")
    if layer.groups > 1 and not layer.is_sum_pool:
        extras.append("depthwise" if layer.groups == layer.input.shape.c else f"{layer.groups} groups")
    return f"{_by(layer.kernel)} {'sum pool' if layer.is_sum_pool else 'convolution'} ({', '.join(extras)})"


def _max_pool(layer: MaxPool) -> str:
    return f"{_by(layer.kernel)} max pool ({', '.join(_sliding(layer))})"


def _enlarge(layer: Enlarge) -> str:
    what = "a part of its channels in each" if layer.parts > 1 else "all alike"
    return f"{_by(layer.factor)} pixels of each, {what}"


def _sliding(layer: Conv | MaxPool) -> list[str]:
    found, pads = [f"stride {pair(layer.stride)}"], layer.pads
    if any(pads):
        found.append(f"pads top {pads.top} left {pads.left} bottom {pads.bottom} right {pads.right}")
    return found


def _named(name: str) -> Callable[[Layer], str]:
    return lambda layer: name


TITLES: dict[type[Layer], Callable[..., str]] = {
    Conv: _convolution, Dense: _named("dense"), Threshold: _named("threshold"), MaxPool: _max_pool,
    GlobalSum: _named("global sum"), Add: _named("add"), Bias: _named("bias"), Negate: _named("negate"),
    Shift: _named("shift"), Concat: _named("concat"), Enlarge: _enlarge,
    ArgMax: _named("argmax"),
}  # fmt: skip
"""What each kind of unit computes, in words."""


def _by(values: tuple[int, int]) -> str:
    return "x".join(str(v) for v in values)


def pair(values: tuple[int, int]) -> str:
    """Two numbers, or the one that both are."""
    return str(values[0]) if values[0] == values[1] else _by(values)


def _shape(shape: Shape) -> str:
    return f"{shape.h}x{shape.w}x{shape.c}" if shape.pixels > 1 else f"{shape.c}"


def _format(fmt: Format) -> str:
    return f"{'' if fmt.signed else 'u'}int{fmt.bits}"


def _interval(tensor: Tensor) -> str:
    return f"[{tensor.lo.min()}, {tensor.hi.max()}]"

"""The comment above each layer of the firmware: what it computes, how it is folded, why its widths suffice."""

from __future__ import annotations

from collections.abc import Callable

from hw.dataflow.memory import weights_in_bram
from hw.dataflow.schedule import cycles
from hw.dataflow.stages import stage
from hw.graphs.layer import HLS_OPERANDS, layer_graph
from hw.hls.plan import Process, Stream
from hw.ir.layers import (
    Add,
    Bias,
    Concat,
    Conv,
    Dense,
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


def describe(process: Process, streaming: bool) -> str:
    """A `//` comment of several lines."""
    lines = _layer(process, streaming) if process.unit else [_between(process)]
    return "\n".join(f"// {line}".rstrip() for line in lines)


def _between(process: Process) -> str:
    x, y, window = process.input, process.output, process.window
    if window is not None:
        rows, columns = window.stride
        return (
            f"{process.name}: of {x.name} every row and column {_pair((rows, columns))} apart; the others are dropped."
        )
    if x.beat != y.beat:
        return f"{process.name}: beats of {x.beat} channels of {x.name} become beats of {y.beat}."
    return f"{process.name}: copies {x.name} for its {len(process.outputs)} readers."


def _layer(process: Process, streaming: bool) -> list[str]:
    unit, fold = process.unit, process.fold
    assert unit is not None
    layer, threshold = unit.layer, unit.threshold
    lines = [
        f"{process.name}: {TITLES[type(layer)](layer)}, {_shape(process.input.shape)} to {_shape(process.output.shape)}"
    ]
    if isinstance(layer, Mac):
        zeros = layer.weights.size - layer.nonzeros
        kind = "ternary" if layer.multiplier_free else f"{layer.weight_type} (not multiplier-free)"
        place = ", in block RAM" if weights_in_bram(layer, fold) else ", in LUTs"
        place = place if streaming and unit.reuse_factor(fold) > 1 else ""  # else constants of the adders
        lines.append(
            f"  weights      {layer.weights.size} {kind}, {zeros} zero ({zeros / layer.weights.size:.1%}){place}"
        )
        if not streaming or unit.is_unrolled(fold):
            lines.append(f"  sums         {layer_graph(layer, HLS_OPERANDS).summary}")
    if streaming:
        steps = cycles(unit, fold).steps
        simd = f", SIMD {fold.simd} of {layer.fan_in} products" if isinstance(layer, Mac) else ""
        lines.append(f"  folding      PE {fold.pe} of {process.output.shape.c} channels{simd}{_form(process)}")
        lines.append(f"  cycles       {steps} per output pixel, {process.cycles} per image")
    for stream in process.inputs:
        lines.append(
            f"  input        {_format(stream.tensor.format)} in {_interval(stream.tensor)}{_beat(stream, streaming)}"
        )
    if isinstance(layer, Mac):
        lines.append(
            f"  accumulator  {_format(layer.output.format)}: the weights bound every sum to {_interval(layer.output)}"
        )
    if threshold is not None:
        way = WAYS[stage(unit, fold).kind]
        lines.append(f"  thresholds   {threshold.thresholds.shape[1]} per channel, codes from {threshold.qmin}{way}")
    out = process.output
    lines.append(f"  output       {_format(out.tensor.format)} in {_interval(out.tensor)}{_beat(out, streaming)}")
    return lines


WAYS = {
    "none": "", "compare": "", "round": ", by rounding", "ramp": ", along a progression, lane by lane",
    "lut": ", searched lane by lane", "bram": ", searched lane by lane in block RAM",
}  # fmt: skip
"""How codes are found, by the kind of stage."""


def _form(process: Process) -> str:
    if process.loop is None:
        return ""
    rows, words = process.loop.rows, process.loop.ring.row_words
    return f"; folded: {rows} rows of {words} words in one memory"


def _beat(stream: Stream, streaming: bool) -> str:
    return (
        f", {stream.beat} of {stream.shape.c} channels per beat" if streaming and stream.beat < stream.shape.c else ""
    )


def _convolution(layer: Conv) -> str:
    extras = _sliding(layer)
    if layer.dilation != (1, 1):
        extras.append(f"dilation {_pair(layer.dilation)}")
    if layer.groups > 1 and not layer.is_sum_pool:
        extras.append("depthwise" if layer.groups == layer.input.shape.c else f"{layer.groups} groups")
    return f"{_by(layer.kernel)} {'sum pool' if layer.is_sum_pool else 'convolution'} ({', '.join(extras)})"


def _max_pool(layer: MaxPool) -> str:
    return f"{_by(layer.kernel)} max pool ({', '.join(_sliding(layer))})"


def _sliding(layer: Conv | MaxPool) -> list[str]:
    found, pads = [f"stride {_pair(layer.stride)}"], layer.pads
    if any(pads):
        found.append(f"pads top {pads.top} left {pads.left} bottom {pads.bottom} right {pads.right}")
    return found


def _named(name: str) -> Callable[[Layer], str]:
    return lambda layer: name


TITLES: dict[type[Layer], Callable[..., str]] = {
    Conv: _convolution, Dense: _named("dense"), Threshold: _named("threshold"), MaxPool: _max_pool,
    GlobalSum: _named("global sum"), Add: _named("add"), Bias: _named("bias"), Negate: _named("negate"),
    Shift: _named("shift"), Concat: _named("concat"),
}  # fmt: skip
"""What each kind of unit computes, in words."""


def _by(values: tuple[int, int]) -> str:
    return "x".join(str(v) for v in values)


def _pair(values: tuple[int, int]) -> str:
    return str(values[0]) if values[0] == values[1] else _by(values)


def _shape(shape: Shape) -> str:
    return f"{shape.h}x{shape.w}x{shape.c}" if shape.pixels > 1 else f"{shape.c}"


def _format(fmt: Format) -> str:
    return f"{'' if fmt.signed else 'u'}int{fmt.bits}"


def _interval(tensor: Tensor) -> str:
    return f"[{tensor.lo.min()}, {tensor.hi.max()}]"

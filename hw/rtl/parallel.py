"""A network unrolled over all its pixels as SystemVerilog: an image enters in every cycle, a result leaves.

One module per unit, without handshake: whole images as vectors by row, column and channel. The top makes a stream of
them: where its result is not taken, everything stands still.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.units import Unit, units
from crq.hw.dataflow.unrolled import LEVELS, adder_stages, arrivals, codes, mask, outside, pipeline, taps, waits
from crq.hw.graphs.layer import layer_stages, pixel_sum
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import apply
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    GlobalSum,
    IntArray,
    Layer,
    Mac,
    MaxPool,
    Negate,
    Shift,
    Tensor,
    Threshold,
)
from crq.hw.ir.ports import numbered
from crq.hw.rtl.comments import describe_unrolled
from crq.hw.rtl.elements import shifted, widened
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.mac import sums_module
from crq.hw.rtl.pixels import maximum_module, pixel_module, sums_format
from crq.hw.rtl.verilog import Design, clocked_module, instance, library, module, slices, wire


def generate_parallel(
    network: Network, family: str = "xcup", levels: int = LEVELS, name: str = "network"
) -> Design:  # fmt: skip
    """The whole network for a synthesis family, with `levels` of adders between two registers."""
    design = Design(name, library(), family=family)
    results = {numbered("out", port): result for port, result in enumerate(network.leaving)}
    latency, late = pipeline(network, levels).latency, waits(network, levels)
    ready = arrivals(network, levels)
    text = _handshake(len(network.inputs), list(results), latency)
    for port, source in enumerate(network.inputs):
        text += f"  wire [{bits_of(source) - 1}:0] {_wire(source)} = in{port}_data;\n" + _delays(source, late)
    for unit in units(network):
        made = unit_module(unit, design, levels)
        meet = max(ready[t.name] for t in unit.sources)
        inputs = {f"in{i}": _wire(t, meet - ready[t.name]) for i, t in enumerate(unit.sources)}
        text += f"  wire [{bits_of(unit.output) - 1}:0] {_wire(unit.output)};\n"
        text += instance(made, unit.name, {}, {"clk": "clk", "en": "en", **inputs, "out": _wire(unit.output)})
        text += _delays(unit.output, late)
    for end, result in results.items():
        text += f"  assign {end}_data = {_wire(result, latency - ready[result.name])};\n"
    summary = "The network, unrolled: one module per unit."
    given = {f"in{port}": bits_of(source) for port, source in enumerate(network.inputs)}
    outputs = {end: bits_of(result) for end, result in results.items()}
    design.sources[f"{name}.sv"] = module(name, given, outputs, text, summary)
    return design


def _handshake(inputs: int, results: list[str], latency: int) -> str:
    """Images enter when all inputs are there; all moves on when every result is taken, each at its own time."""
    if inputs == len(results) == 1:
        text = "  wire en = !out_valid || out_ready;\n  assign in0_ready = en;\n"
        return text + instance("crq_delay", "valid", {"WIDTH": 1, "DEPTH": latency}, {
            "clk": "clk", "rst": "rst", "en": "en", "d": "in0_valid", "q": "out_valid"})  # fmt: skip
    text = f"  wire given = {' && '.join(f'in{port}_valid' for port in range(inputs))};\n  wire made, taken;\n"
    text += "  wire en = !made || taken;\n"
    text += "".join(f"  assign in{port}_ready = en && given;\n" for port in range(inputs))
    text += instance("crq_delay", "valid", {"WIDTH": 1, "DEPTH": latency}, {
        "clk": "clk", "rst": "rst", "en": "en", "d": "given", "q": "made"})  # fmt: skip
    if len(results) == 1:
        return text + f"  assign {results[0]}_valid = made;\n  assign taken = {results[0]}_ready;\n"
    valid, ready = (f"{{{', '.join(f'{end}_{kind}' for end in reversed(results))}}}" for kind in ("valid", "ready"))
    ports = {"in_valid": "made", "in_ready": "taken", "out_valid": valid, "out_ready": ready}
    return text + instance("crq_fork", "leaving_fork", {"N": len(results)}, {"clk": "clk", "rst": "rst", **ports})


def generate_parallel_unit(unit: Unit, family: str = "xcup", levels: int = LEVELS) -> Design:
    """A design of one unit, without handshake."""
    design = Design("", library(), family=family)
    design.top = unit_module(unit, design, levels)
    return design


def bits_of(tensor: Tensor) -> int:
    """Of a whole image."""
    return tensor.shape.size * tensor.format.bits


def _wire(tensor: Tensor, late: int = 0) -> str:
    return wire(f"late{late}" if late else "v", tensor.name)


def _delays(tensor: Tensor, late: dict[str, list[int]]) -> str:
    """Registers in which a tensor waits for others."""
    chain = [_wire(tensor, n) for n in range(max(late.get(tensor.name, [0])) + 1)]
    if len(chain) == 1:
        return ""
    moved = "".join(f"      {after} <= {before};\n" for before, after in zip(chain, chain[1:], strict=False))
    declared = f"  logic [{bits_of(tensor) - 1}:0] {', '.join(chain[1:])};\n"
    return f"{declared}  always_ff @(posedge clk)\n    if (en) begin\n{moved}    end\n"


def unit_module(unit: Unit, design: Design, levels: int = LEVELS) -> str:
    """Adds the module of one unit, and those that it is made of; returns its name."""
    name = f"unit_{bounded(unit.name)}"
    body = BODIES[type(unit.layer)](unit, design, levels)
    inputs = {f"in{i}": bits_of(t) for i, t in enumerate(unit.sources)}
    summary = describe_unrolled(unit, name, design.family)
    design.sources[f"{name}.sv"] = clocked_module(name, inputs, bits_of(unit.output), body, summary)
    return name


def _sums(unit: Unit, design: Design, levels: int) -> str:
    """An adder graph per window; those with the same taps inside of the image share their module."""
    mac = unit.layer
    assert isinstance(mac, Mac)
    width, channels, bits = sums_format(unit).bits, mac.output.shape.c, mac.input.format.bits
    coded = codes(unit) is not None
    windows = taps(mac) if isinstance(mac, Conv) else np.arange(unit.sources[0].shape.pixels)[None]
    modules: dict[tuple[bool, ...], str] = {}
    text = f"  wire [{len(windows) * channels * width - 1}:0] sums;\n" if coded else ""
    for p, window in enumerate(windows):
        inside = mask(window)
        if inside not in modules:
            modules[inside] = made = f"{bounded(unit.name)}_sums{len(modules)}"
            zero = outside(inside, mac.input.shape.c) if isinstance(mac, Conv) else frozenset()
            graph = layer_stages(mac, design.family, adder_stages(unit, levels), zero)
            design.sources[f"{made}.sv"] = sums_module(made, mac, graph, width)
        own = f"{'sums' if coded else 'out'}[{p * channels * width}+:{channels * width}]"
        elements = _elements(window, unit.sources[0].shape.c)
        text += instance(modules[inside], f"sums{p}", {}, {
            "clk": "clk", "en": "en", "x": slices("in0", elements, bits), "y": own})  # fmt: skip
    return text + (_pixels(unit, design, ["sums"]) if coded else "")


def _elements(window: IntArray, channels: int) -> list[int]:
    """Elements of the image by tap and channel, below 0 where a tap lies outside."""
    return [pixel * channels + c if pixel >= 0 else -1 for pixel in window.tolist() for c in range(channels)]


def _elementwise(unit: Unit, design: Design, levels: int) -> str:
    return _pixels(unit, design, [f"in{i}" for i in range(len(unit.inputs))])


def _pixels(unit: Unit, design: Design, sources: list[str]) -> str:
    """The module of a pixel, for each."""
    made, size, text = pixel_module(unit, design), unit.output.shape.c * unit.output.format.bits, ""
    formats = [sums_format(unit)] if isinstance(unit.layer, Mac) else [t.format for t in unit.inputs]
    widths = [unit.output.shape.c * fmt.bits for fmt in formats]
    for p in range(unit.output.shape.pixels):
        ports = {f"in{i}": f"{s}[{p * w}+:{w}]" for i, (s, w) in enumerate(zip(sources, widths, strict=True))}
        ports |= {"clk": "clk", "en": "en", "out": f"out[{p * size}+:{size}]"}
        text += instance(made, f"pixel{p}", {}, ports)
    return text


def _max_pool(unit: Unit, design: Design, levels: int) -> str:
    """The largest of those pixels of each window that lie inside of the image."""
    assert isinstance(unit.layer, MaxPool)
    bits, channels, text = unit.output.format.bits, unit.output.shape.c, ""
    modules: dict[int, str] = {}
    for p, window in enumerate(taps(unit.layer)):
        kept = window[window >= 0]
        if len(kept) not in modules:
            modules[len(kept)] = maximum_module(unit, len(kept), design)
        text += instance(modules[len(kept)], f"pixel{p}", {}, {
            "clk": "clk", "en": "en", "in0": slices("in0", _elements(kept, channels), bits),
            "out": f"out[{p * channels * bits}+:{channels * bits}]"})  # fmt: skip
    return text


def _global_sum(unit: Unit, design: Design, levels: int) -> str:
    """An adder graph per channel; channels with the same interval share their module."""
    layer = unit.layer
    assert isinstance(layer, GlobalSum)
    x, channels, bits, out = layer.input, layer.input.shape.c, layer.input.format.bits, unit.output.format.bits
    modules: dict[tuple[int, int], str] = {}
    text = ""
    for c, ends in enumerate(zip(x.lo.tolist(), x.hi.tolist(), strict=True)):
        if ends not in modules:
            modules[ends] = made = f"{bounded(unit.name)}_sum{len(modules)}"
            graph = pixel_sum(ends, x.shape.pixels, design.family, adder_stages(unit, levels))
            design.sources[f"{made}.sv"] = graph_module(made, graph, bits, out)
        elements = [p * channels + c for p in range(x.shape.pixels)]
        text += instance(modules[ends], f"sum{c}", {}, {
            "clk": "clk", "en": "en", "x": slices("in0", elements, bits), "y": f"out[{c * out}+:{out}]"})  # fmt: skip
    return text


def _shift(unit: Unit, design: Design, levels: int) -> str:
    assert isinstance(unit.layer, Shift)
    values = [shifted(unit.layer, "in0", e) for e in reversed(range(unit.output.shape.size))]
    return f"  assign out = {{{', '.join(values)}}};\n"


def _concat(unit: Unit, design: Design, levels: int) -> str:
    out = unit.output.format.bits
    values = [
        widened(f"in{i}", p * t.shape.c + c, t.format.bits, out, t.format.signed)
        for p in range(unit.output.shape.pixels) for i, t in enumerate(unit.sources) for c in range(t.shape.c)
    ]  # fmt: skip
    return f"  assign out = {{{', '.join(reversed(values))}}};\n"


def _enlarge(unit: Unit, design: Design, levels: int) -> str:
    """Wires: every pixel of the result is one of the input, or a part of it."""
    layer = unit.layer
    assert isinstance(layer, Enlarge)
    x = np.arange(layer.input.shape.size).reshape(layer.input.shape.h, layer.input.shape.w, -1)  # as it streams
    places = apply(layer, x.transpose(2, 0, 1)[None])[0].transpose(1, 2, 0)
    return f"  assign out = {slices('in0', places.ravel().tolist(), unit.output.format.bits)};\n"


def _arg_max(unit: Unit, design: Design, levels: int) -> str:
    """The channel of each pixel's greatest value, in a register."""
    x, channels, out = unit.sources[0].format, unit.sources[0].shape.c, unit.output.format.bits
    text = f"  wire [{unit.output.shape.pixels * out - 1}:0] found;\n"
    for p in range(unit.output.shape.pixels):
        text += f"  wire [{x.bits - 1}:0] unused_best{p};\n"
        text += instance("crq_first", f"pixel{p}", {"N": channels, "BITS": x.bits, "SIGNED": int(x.signed)}, {
            "d": f"in0[{p * channels * x.bits}+:{channels * x.bits}]", "q": f"unused_best{p}",
            "index": f"found[{p * out}+:{out}]"})  # fmt: skip
    return text + "  always_ff @(posedge clk) if (en) out <= found;\n"


BODIES: dict[type[Layer], Callable[[Unit, Design, int], str]] = {
    **dict.fromkeys((Conv, Dense), _sums),
    **dict.fromkeys((Threshold, Add, Bias, Negate), _elementwise),
    MaxPool: _max_pool,
    GlobalSum: _global_sum,
    Shift: _shift,
    Concat: _concat,
    Enlarge: _enlarge,
    ArgMax: _arg_max,
}
"""The inside of the module of each kind of unit; what it needs beside goes into the design."""

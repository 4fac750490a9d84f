"""C++ of layers whose weights are all built in: one statement per adder of their graph."""

from __future__ import annotations

from crq.hw.graphs.graph import Adder, Graph
from crq.hw.graphs.layer import HLS_OPERANDS, element_name, layer_graph
from crq.hw.hls.codes import codes_of
from crq.hw.hls.emit_window import fast_lane, window_fields, window_lines
from crq.hw.hls.source import Emitted, Source, cpp_type
from crq.hw.ir.layers import Conv, Dense, Mac


def unrolled(source: Source, layer: Conv | Dense) -> Emitted:
    """All sums of a pixel at once, and what becomes of them."""
    found, adders = codes_of(source.p), f"{source.name}_adders"
    accum, data = layer.output.format, layer.input.format
    fields = [
        *window_fields(source, layer.fan_in),
        f"typedef {cpp_type(accum)} accum_t;",
        f"static const int accum_bits = {accum.bits}; // C simulation only, as the next two",
        f"static const bool accum_signed = {'true' if accum.signed else 'false'};",
        f"typedef {fast_lane(accum, data, layer.multiplier_free)} fast_lane_t;",
    ]
    body = [p for table in found.tables for p in source.partition(table)] + [found.declaration]
    if source.streaming:
        body += [*window_lines(source), source.kernel("graph_stream", "lines", f"{adders}()", "codes")]
    else:
        body.append(source.kernel("graph_parallel", f"{adders}()", "codes"))
    made = source.made([*fields, *found.fields], body, found.tables)
    return made._replace(config=f"{made.config}\n\n{graph_struct(adders, layer)}")


def graph_struct(name: str, layer: Conv | Dense) -> str:
    """The structure whose `apply` makes the sums of a window."""
    graph = layer_graph(layer, HLS_OPERANDS)
    first = len(graph.taps)
    lines = [tap_line(graph, number, layer) for number in range(first)]
    lines += [adder_line(graph, number, adder) for number, adder in enumerate(graph.adders, start=first)]
    for output, term in enumerate(graph.outputs):
        value = "0" if term is None else f"{'-' if term.negative else ''}v{term.value}"
        lines.append(f"sums[{output}] = {value};")
    body = "\n".join(f"        {line}" for line in lines)
    return f"""// The sums of a window: {graph.summary}. Every value has the width of its interval.
struct {name} {{
    template <class window_T, class sum_T>
    void apply(const typename window_T::array &taps, sum_T sums[{len(graph.outputs)}]) const {{
        #pragma HLS INLINE
{body}
    }}
}};"""


def tap_line(graph: Graph, number: int, layer: Mac) -> str:
    """A value read from the window's registers."""
    tap, kind = graph.taps[number], cpp_type(graph.formats[number])
    place, channel = divmod(tap.element, layer.input.shape.c)
    group, inner = divmod(channel, layer.input.shape.c // layer.groups)
    value = f"window_T::get(taps, {group}, {place * (layer.input.shape.c // layer.groups) + inner})"
    if tap.shift:
        value = f"{kind}({value}) << {tap.shift}"
    scaled = f" * {1 << tap.shift}" if tap.shift else ""
    return f"const {kind} v{number} = {value}; // {element_name(layer, tap.element)}{scaled}"


def adder_line(graph: Graph, number: int, adder: Adder) -> str:
    terms = "".join(f" {'-' if t.negative else '+'} v{t.value}" for t in adder.terms).removeprefix(" + ")
    return f"const {cpp_type(graph.formats[number])} v{number} = {terms};"

"""C++ of one process: header comment, configuration struct and function (firmware/layers/NAME.h)."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

from numpy.typing import NDArray

from crq.hw.dataflow.memory import in_bram, stored
from crq.hw.errors import HwError
from crq.hw.hls.codes import codes_of
from crq.hw.hls.emit_graph import unrolled
from crq.hw.hls.emit_window import mac, max_pool
from crq.hw.hls.plan import Process, Stream
from crq.hw.hls.source import PIPELINE, Emitted, Source, cpp_type, number
from crq.hw.hls.tables import Table, integer_table
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    GlobalSum,
    Layer,
    MaxPool,
    Negate,
    Shift,
    Threshold,
)

MAX_BITS = 63


def emit(process: Process, io_type: str) -> Emitted:
    """The C++ of `process`. Raises `HwError` naming the layer if a width exceeds what the kernels hold."""
    for stream in (*process.inputs, *process.outputs):
        if stream.tensor.format.bits > MAX_BITS:
            raise HwError(
                f"layer {process.label!r}: tensor {stream.tensor.name!r} needs {stream.tensor.format.bits} bits; the "
                f"hardware holds at most {MAX_BITS}. Put an activation quantizer in front of it"
            )
    source = Source(process, io_type)
    if process.unit is not None:
        return EMITTERS[type(process.unit.layer)](source, process.unit.layer)
    if process.window is not None:
        return _decimate(source)
    return _copy(source) if process.input.beat == process.output.beat else _convert(source)


# -- between units


def _copy(source: Source) -> Emitted:
    shape, n = source.p.input.shape, range(len(source.p.outputs))
    if not source.streaming:
        copies = [f"    out{i}[i] = in[i];" for i in n]
        head = ["Values:", f"for (unsigned i = 0; i < {shape.size}; i++) {{", "    #pragma HLS UNROLL"]
        return source.made([], [*head, *copies, "}"])
    return source.made([], [
        "Beats:", f"for (unsigned b = 0; b < {source.p.input.beats}; b++) {{", f"    {PIPELINE}",
        f"    const {source.p.input.type_name} beat = in.read();",
        *(f"    out{i}.write(beat);" for i in n), "}",
    ])  # fmt: skip


def _convert(source: Source) -> Emitted:
    x, y = source.p.input, source.p.output
    values = f"{x.shape.size}, {gcd(x.beat, y.beat)}"
    return source.made([], [f"crq::convert_beats<{x.type_name}, {y.type_name}, {values}>(in, out);"])


def _decimate(source: Source) -> Emitted:
    window, stream = source.p.window, source.p.input
    assert window is not None
    image = window.image
    sizes = (image.h, image.w, image.c // stream.beat, *window.stride)
    return source.made([], [f"crq::decimate<{stream.type_name}, {', '.join(map(str, sizes))}>(in, out);"])


# -- units without a window


def _pixel_fields(source: Source) -> list[str]:
    shape = source.p.input.shape
    return [number("pixels", shape.pixels), number("channels", shape.c), number("pe", source.p.fold.pe)]


def _pointwise(source: Source, op: str, table: Table | None, fields: list[str] | None = None) -> Emitted:
    template = f"crq::{op}<{source.config}" + (f", decltype({table.name})>" if table else ">")
    call = source.kernel(f"pointwise_{source.suffix}", f"{template}({table.name if table else ''})")
    pragmas = source.partition(table) if table else []
    return source.made([*_pixel_fields(source), *(fields or [])], [*pragmas, call], [table] if table else [])


def _threshold(source: Source, layer: Threshold) -> Emitted:
    found = codes_of(source.p)
    body = [p for table in found.tables for p in source.partition(table)]
    body += [found.declaration, source.kernel(f"pointwise_{source.suffix}", "codes")]
    return source.made([*_pixel_fields(source), *found.fields], body, found.tables)


def _bias(source: Source, layer: Bias) -> Emitted:
    values = stored(layer.values.reshape(-1, source.p.fold.pe))
    table = integer_table(f"{source.name}_values", values, f"{_rows(values)}: what is added")
    return _pointwise(source, "bias_op", table, [number("rows", len(values))])


def _negate(source: Source, layer: Negate) -> Emitted:
    negative = stored((layer.signs < 0).astype("uint64").reshape(-1, source.p.fold.pe))
    table = Table(f"{source.name}_negative", "crq::rom_word<1>", negative, says=f"{_rows(negative)}: whether negated")
    return _pointwise(source, "negate_op", table, [number("rows", len(negative))])


def _rows(values: NDArray[Any]) -> str:
    return "[block][channel]" if len(values) > 1 else "[0][channel], alike in every block"


def _shift(source: Source, layer: Shift) -> Emitted:
    return _pointwise(source, "shift_op", None, [number("shift", layer.bits)])


def _add(source: Source, layer: Add) -> Emitted:
    found = codes_of(source.p)
    body = [p for table in found.tables for p in source.partition(table)]
    body += [found.declaration, source.kernel(f"add_{source.suffix}", "codes")]
    fields = [*_pixel_fields(source), f"typedef {cpp_type(layer.output.format)} sum_t;", *found.fields]
    return source.made(fields, body, found.tables)


def _global_sum(source: Source, layer: GlobalSum) -> Emitted:
    if not source.streaming:
        return source.made(_pixel_fields(source), [source.kernel("global_sum_parallel")])
    out, blocks = source.p.output, source.p.output.beats
    body = [
        f"{out.type_name}::value_type sums[{blocks}][{out.beat}];",
        "#pragma HLS ARRAY_RESHAPE variable=sums complete dim=2",
    ]
    if blocks <= 2:  # a memory could not give a sum back so soon
        body.append("#pragma HLS ARRAY_PARTITION variable=sums complete dim=1")
    else:
        body += [
            "#pragma HLS BIND_STORAGE variable=sums type=ram_s2p impl=lutram",
            f"#pragma HLS DEPENDENCE variable=sums inter RAW distance={blocks} true",
        ]
    return source.made(_pixel_fields(source), [*body, source.kernel("global_sum_stream", "sums")])


def _concat(source: Source, layer: Concat) -> Emitted:
    p = source.p
    if source.streaming and p.output.beat != p.output.shape.c:
        return source.made([], _in_turn(source))
    body = ["Pixels:", f"for (unsigned p = 0; p < {p.output.shape.pixels}; p++) {{"]
    body.append(f"    {PIPELINE if source.streaming else '#pragma HLS UNROLL'}")
    if source.streaming:
        body += [f"    const {s.type_name} part{i} = in{i}.read();" for i, s in enumerate(p.inputs)]
        body.append(f"    {p.output.type_name} beat;")
    offset = 0
    for i, stream in enumerate(p.inputs):
        body += [f"    {line}" for line in _part(source, i, stream, offset)]
        offset += stream.shape.c
    return source.made([], [*body, *(["    out.write(beat);"] if source.streaming else []), "}"])


def _part(source: Source, i: int, stream: Stream, offset: int) -> list[str]:
    """Input `i` goes to the channels from `offset` on."""
    c, all_ = stream.shape.c, source.p.output.shape.c
    target = f"beat[{offset} + c]" if source.streaming else f"out[p * {all_} + {offset} + c]"
    value = f"part{i}[c]" if source.streaming else f"in{i}[p * {c} + c]"
    head = [f"Part{i}:", f"for (unsigned c = 0; c < {c}; c++) {{", "    #pragma HLS UNROLL"]
    return [*head, f"    {target} = {value};", "}"]


def _in_turn(source: Source) -> list[str]:
    """The beats of each input, one input after the other, for every pixel."""
    out, inputs = source.p.output, source.p.inputs
    per_pixel = out.shape.c // out.beat
    body = [
        f"crq::counter<{per_pixel}> place = 0;", "Beats:", f"for (unsigned b = 0; b < {out.beats}; b++) {{",
        f"    {PIPELINE}", f"    {out.type_name} beat;",
    ]  # fmt: skip
    end = 0
    for i, stream in enumerate(inputs):
        end += stream.shape.c // stream.beat
        condition = f"if (place < {end}) " if i + 1 < len(inputs) else ""
        body += [
            f"    {'} else ' if i else ''}{condition}{{", f"        const {stream.type_name} part = in{i}.read();",
            f"    Part{i}:", f"        for (unsigned c = 0; c < {stream.beat}; c++) {{",
            "            #pragma HLS UNROLL", "            beat[c] = part[c];", "        }",
        ]  # fmt: skip
    following = f"place + 1 == {per_pixel} ? 0u : unsigned(place + 1)"
    return [*body, "    }", "    out.write(beat);", f"    place = {following};", "}"]


def _enlarge(source: Source, layer: Enlarge) -> Emitted:
    x, y, (rows, columns) = source.p.input, source.p.output, layer.factor
    words = y.shape.c // y.beat
    sizes = {
        "height": x.shape.h, "width": x.shape.w, "channels": y.shape.c, "pe": y.beat, "factor_h": rows,
        "factor_w": columns, "parts": layer.parts, "beats": y.beats,
        "row_words": x.shape.w * words if rows > 1 else 1, "pixel_words": words if columns > 1 else 1,
    }  # fmt: skip
    fields = [number(name, value) for name, value in sizes.items()]
    if not source.streaming:
        return source.made(fields, [source.kernel("enlarge_parallel")])
    body = []
    for memory in ("row", "pixel"):
        depth = sizes[f"{memory}_words"]
        body += [
            f"{x.type_name}::value_type {memory}[{depth}][{x.beat}];",
            f"#pragma HLS ARRAY_RESHAPE variable={memory} complete dim=2",
        ]
        if depth <= 2:  # a memory could not give a word back so soon
            body.append(f"#pragma HLS ARRAY_PARTITION variable={memory} complete dim=1")
        elif memory == "pixel":
            body += [
                "#pragma HLS BIND_STORAGE variable=pixel type=ram_s2p impl=lutram",
                f"#pragma HLS DEPENDENCE variable=pixel inter RAW distance={words} true",
            ]
        else:
            place = "bram" if in_bram(depth * x.beat * x.tensor.format.bits) else "lutram"
            body += [
                f"#pragma HLS BIND_STORAGE variable=row type=ram_s2p impl={place}",
                f"#pragma HLS DEPENDENCE variable=row inter RAW distance={depth * columns} true",
            ]
    return source.made(fields, [*body, source.kernel("enlarge_stream", "row", "pixel")])


def _arg_max(source: Source, layer: ArgMax) -> Emitted:
    shape, lanes = source.p.input.shape, source.p.fold.simd
    fields = [number("pixels", shape.pixels), number("channels", shape.c), number("lanes", lanes)]
    return source.made(fields, [source.kernel(f"argmax_{source.suffix}")])


def is_graph(process: Process, io_type: str) -> bool:
    """Whether the sums of a layer are an adder graph: all of its weights are built in."""
    return process.unit is not None and (io_type == "io_parallel" or process.unit.is_unrolled(process.fold))


def _mac(source: Source, layer: Conv | Dense) -> Emitted:
    return (unrolled if is_graph(source.p, source.io_type) else mac)(source, layer)


EMITTERS: dict[type[Layer], Callable[..., Emitted]] = {
    Conv: _mac, Dense: _mac, Threshold: _threshold, MaxPool: max_pool, GlobalSum: _global_sum, Add: _add, Bias: _bias,
    Negate: _negate, Shift: _shift, Concat: _concat, Enlarge: _enlarge, ArgMax: _arg_max,
}  # fmt: skip
"""The C++ of each kind of unit."""

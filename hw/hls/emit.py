"""C++ of one process: header comment, configuration struct and function (firmware/layers/NAME.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hw.dataflow.memory import weights_in_bram
from hw.dataflow.thresholds import filled_levels
from hw.dataflow.windows import Window
from hw.errors import HwError
from hw.hls.comments import describe
from hw.hls.plan import Process, Stream
from hw.hls.tables import (
    Table,
    integer_table,
    ordered_weights,
    packing,
    start_table,
    threshold_table,
    weight_table,
)
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
    Shift,
    Threshold,
)

MAX_BITS = 63


class Emitted(NamedTuple):
    """The generated text of one process."""

    config: str  # configuration struct, or "" if the process needs none
    call: str  # the statement in the top function
    function: str
    comment: str
    tables: list[Table]


def emit(process: Process, io_type: str) -> Emitted:
    """The C++ of `process`. Raises `HwError` naming the layer if a width exceeds what the kernels hold."""
    for stream in (*process.inputs, *process.outputs):
        if stream.tensor.format.bits > MAX_BITS:
            raise HwError(
                f"layer {process.label!r}: tensor {stream.tensor.name!r} needs {stream.tensor.format.bits} bits; the "
                f"hardware holds at most {MAX_BITS}. Put an activation quantizer in front of it"
            )
    return _Emitter(process, io_type == "io_stream").emit()


def cpp_type(fmt: Format) -> str:
    return f"ap_{'' if fmt.signed else 'u'}int<{fmt.bits}>"


def stream_type(stream: Stream, io_type: str) -> str:
    """The C++ type of what passes: a beat of all channels (io_stream) or one value (io_parallel)."""
    scalar = cpp_type(stream.tensor.format)
    return f"nnet::array<{scalar}, {stream.shape.c}>" if io_type == "io_stream" else scalar


class _Emitter:
    def __init__(self, process: Process, streaming: bool) -> None:
        self.p, self.streaming = process, streaming
        self.name = process.name
        self.config = f"{process.name}_config"
        self.suffix = "stream" if streaming else "parallel"

    def emit(self) -> Emitted:
        unit = self.p.unit
        return self.copy() if unit is None else EMITTERS[type(unit.layer)](self, unit.layer)

    # -- layers

    def mac(self, layer: Conv | Dense) -> Emitted:
        assert self.p.unit is not None
        codes, fold, threshold = ordered_weights(layer), self.p.fold, self.p.unit.threshold
        weights = weight_table(self.name, layer, codes, fold)
        tables, arguments = [weights], [weights.name]
        pragmas = [
            f"#pragma HLS ARRAY_RESHAPE variable={weights.name} complete dim=2",
            f"#pragma HLS ARRAY_RESHAPE variable={weights.name} complete dim=3",
        ]
        if self.streaming and weights.values.shape[0] > 1:
            impl = "bram" if weights_in_bram(layer, fold) else "lutram"
            pragmas.append(f"#pragma HLS BIND_STORAGE variable={weights.name} type=rom_1p impl={impl}")
        if not self.streaming:
            pragmas = [f"#pragma HLS ARRAY_PARTITION variable={weights.name} complete dim=0"]
        for table in (
            start_table(self.name, codes, fold) if layer.multiplier_free else None,
            threshold_table(self.name, threshold, fold.pe) if threshold else None,
        ):
            arguments.append(table.name if table else "crq::no_table()")
            if table:
                tables.append(table)
                pragmas += self.partition(table)
        call = f"crq::mac_{self.suffix}<{self.types()}, {self.config}>({self.arguments()}, {', '.join(arguments)});"
        return self.source(self.struct(self.mac_fields(layer, threshold)), [*pragmas, call], tables)

    def threshold(self, layer: Threshold) -> Emitted:
        table = threshold_table(self.name, layer, self.p.fold.pe)
        return self.pointwise("threshold_op", table, self.threshold_fields(layer))

    def bias(self, layer: Bias) -> Emitted:
        values = layer.values.reshape(-1, self.p.fold.pe)
        return self.pointwise("bias_op", integer_table(f"{self.name}_values", values))

    def negate(self, layer: Negate) -> Emitted:
        negative = (layer.signs < 0).astype("uint64").reshape(-1, self.p.fold.pe)
        return self.pointwise("negate_op", Table(f"{self.name}_negative", "crq::rom_word<1>", negative))

    def shift(self, layer: Shift) -> Emitted:
        return self.pointwise("shift_op", None, [f"static const unsigned shift = {layer.bits};"])

    def add(self, layer: Add) -> Emitted:
        return self.kernel("add", self.pixel_fields())

    def max_pool(self, layer: MaxPool) -> Emitted:
        return self.kernel("max_pool", self.pool_fields())

    def global_sum(self, layer: GlobalSum) -> Emitted:
        return self.kernel("global_sum", self.pixel_fields())

    def concat(self, layer: Concat) -> Emitted:
        return self.source("", self.concat_body(), [])

    def copy(self) -> Emitted:
        return self.source("", self.copy_body(), [])

    def kernel(self, name: str, fields: list[str]) -> Emitted:
        """A call of one of the hand-written kernels that takes no table."""
        call = f"crq::{name}_{self.suffix}<{self.types()}, {self.config}>({self.arguments()});"
        return self.source(self.struct(fields), [call], [])

    def pointwise(self, op: str, table: Table | None, fields: list[str] | None = None) -> Emitted:
        tables = [table] if table else []
        template = f"crq::{op}<{self.config}" + (f", decltype({table.name})>" if table else ">")
        argument = f"{template}({table.name if table else ''})"
        call = f"crq::pointwise_{self.suffix}<{self.types()}, {self.config}>({self.arguments()}, {argument});"
        pragmas = self.partition(table) if table else []
        return self.source(self.struct(self.pixel_fields() + (fields or [])), [*pragmas, call], tables)

    def partition(self, table: Table) -> list[str]:
        if not self.streaming:
            return [f"#pragma HLS ARRAY_PARTITION variable={table.name} complete dim=0"]
        inner = range(2, table.values.ndim + 1)
        return [f"#pragma HLS ARRAY_PARTITION variable={table.name} complete dim={d}" for d in inner]

    def concat_body(self) -> list[str]:
        return self.per_pixel(
            [f"const {s.type_name} part{i} = {self.inputs()[i]}.read();" for i, s in enumerate(self.p.inputs)],
            [(f"part{i}", s) for i, s in enumerate(self.p.inputs)],
        )

    def per_pixel(self, reads: list[str], parts: list[tuple[str, Stream]]) -> list[str]:
        out, pixels = self.p.output, self.p.output.shape.pixels
        body = ["Pixels:", f"for (unsigned p = 0; p < {pixels}; p++) {{"]
        body.append(f"    #pragma HLS {'PIPELINE II=1' if self.streaming else 'UNROLL'}")
        if self.streaming:
            body += [f"    {r}" for r in reads] + [f"    {out.type_name} beat;"]
        offset = 0
        for i, (name, stream) in enumerate(parts):
            c = stream.shape.c
            target = f"beat[{offset} + c]" if self.streaming else f"out[p * {out.shape.c} + {offset} + c]"
            value = f"{name}[c]" if self.streaming else f"in{i}[p * {c} + c]"
            body += [
                f"Part{i}:", f"    for (unsigned c = 0; c < {c}; c++) {{", "        #pragma HLS UNROLL",
                f"        {target} = {value};", "    }",
            ]  # fmt: skip
            offset += c
        return [*body, *(["    out.write(beat);"] if self.streaming else []), "}"]

    def copy_body(self) -> list[str]:
        shape = self.p.input.shape
        n = range(len(self.p.outputs))
        if not self.streaming:
            copies = [f"    out{i}[i] = in[i];" for i in n]
            return [
                "Values:",
                f"for (unsigned i = 0; i < {shape.size}; i++) {{",
                "    #pragma HLS UNROLL",
                *copies,
                "}",
            ]
        return [
            "Pixels:", f"for (unsigned p = 0; p < {shape.pixels}; p++) {{", "    #pragma HLS PIPELINE II=1",
            f"    const {self.p.input.type_name} beat = in.read();",
            *(f"    out{i}.write(beat);" for i in n), "}",
        ]  # fmt: skip

    # -- configuration structs

    def struct(self, fields: list[str]) -> str:
        return "\n".join([f"struct {self.config} {{", *(f"    {f}" for f in fields), "};"])

    @property
    def window(self) -> Window:
        assert self.p.window is not None
        return self.p.window

    def pixel_fields(self) -> list[str]:
        shape = self.p.input.shape
        return [
            f"static const unsigned pixels = {shape.pixels};",
            f"static const unsigned channels = {shape.c};",
            f"static const unsigned pe = {self.p.fold.pe};",
        ]

    def threshold_fields(self, threshold: Threshold | None) -> list[str]:
        if threshold is None:
            return ["static const unsigned levels = 0;", "static const int code_min = 0;"]
        return [
            f"static const unsigned levels = {filled_levels(threshold)};",
            f"static const int code_min = {threshold.qmin};",
        ]

    def window_fields(self, simd: int) -> list[str]:
        w = self.window
        values = {
            "in_height": w.image.h, "in_width": w.image.w, "in_channels": w.image.c,
            "out_height": w.output.h, "out_width": w.output.w, "out_channels": w.output.c,
            "kernel_height": w.kernel[0], "kernel_width": w.kernel[1],
            "stride_height": w.stride[0], "stride_width": w.stride[1],
            "dilation_height": w.dilation[0], "dilation_width": w.dilation[1],
            "pad_top": w.pads.top, "pad_left": w.pads.left, "pad_bottom": w.pads.bottom, "pad_right": w.pads.right,
            "groups": w.groups, "pe": self.p.fold.pe, "simd": simd,
        }  # fmt: skip
        return [f"static const unsigned {key} = {value};" for key, value in values.items()]

    def pool_fields(self) -> list[str]:
        kernel = self.window.kernel
        fmt = self.p.input.tensor.format
        lowest = -(1 << (fmt.bits - 1)) if fmt.signed else 0
        return [*self.window_fields(kernel[0] * kernel[1]), f"static const int lowest = {lowest};"]

    def mac_fields(self, layer: Mac, threshold: Threshold | None) -> list[str]:
        pack = packing(layer, self.p.fold.simd)
        accum, data = layer.output.format, layer.input.format
        return [
            *self.window_fields(self.p.fold.simd),
            f"static const bool ternary = {'true' if layer.multiplier_free else 'false'};",
            f"static const unsigned weight_bits = {pack.weight_bits};",
            f"static const unsigned weight_mask = {(1 << pack.weight_bits) - 1};",
            f"static const unsigned words = {pack.words};",
            f"static const unsigned word_lanes = {pack.word_lanes};",
            f"static const unsigned in_bits = {data.bits};",
            f"static const unsigned partial_bits = {partial_bits(data, pack.weight_bits, self.p.fold.simd)};",
            *self.threshold_fields(threshold),
            f"typedef {cpp_type(accum)} accum_t;",
            f"static const int accum_bits = {accum.bits}; // C simulation only, as all below",
            f"static const bool accum_signed = {'true' if accum.signed else 'false'};",
            f"typedef {fast_lane(accum, data, layer.multiplier_free)} fast_lane_t;",
        ]

    # -- function

    def types(self) -> str:
        return ", ".join(s.type_name for s in (*self.p.inputs, *self.p.outputs))

    def inputs(self) -> list[str]:
        return ["in"] if len(self.p.inputs) == 1 else [f"in{i}" for i in range(len(self.p.inputs))]

    def outputs(self) -> list[str]:
        return ["out"] if len(self.p.outputs) == 1 else [f"out{i}" for i in range(len(self.p.outputs))]

    def arguments(self) -> str:
        return ", ".join(self.inputs() + self.outputs())

    def parameter(self, stream: Stream, name: str, constant: bool) -> str:
        if self.streaming:
            return f"hls::stream<{stream.type_name}> &{name}"
        return f"{'const ' if constant else ''}{stream.type_name} {name}[{stream.shape.size}]"

    def source(self, config: str, body: list[str], tables: list[Table]) -> Emitted:
        parameters = [self.parameter(s, n, True) for s, n in zip(self.p.inputs, self.inputs(), strict=True)]
        parameters += [self.parameter(s, n, False) for s, n in zip(self.p.outputs, self.outputs(), strict=True)]
        if not self.streaming:
            body = ["#pragma HLS INLINE", *body]
        lines = [f"inline void {self.name}({', '.join(parameters)}) {{", *(f"    {line}" for line in body), "}"]
        call = f"{self.name}({', '.join(s.name for s in (*self.p.inputs, *self.p.outputs))});"
        return Emitted(config, call, "\n".join(lines), describe(self.p, self.streaming), tables)


def partial_bits(data: Format, weight_bits: int, simd: int) -> int:
    """Width of the sum of one cycle's products: each has the operand's and the weight's bits together."""
    return data.bits + weight_bits + (simd - 1).bit_length()


def fast_lane(accum: Format, data: Format, ternary: bool) -> str:
    """The narrowest native type whose sums, modulo its width, give the accumulator's value."""
    bits = max(accum.bits, data.bits + 1)
    if ternary and bits <= 16:
        return "unsigned short"
    return "unsigned int" if bits <= 32 else "unsigned long long"


EMITTERS: dict[type[Layer], Callable[..., Emitted]] = {
    Conv: _Emitter.mac, Dense: _Emitter.mac, Threshold: _Emitter.threshold, MaxPool: _Emitter.max_pool,
    GlobalSum: _Emitter.global_sum, Add: _Emitter.add, Bias: _Emitter.bias, Negate: _Emitter.negate,
    Shift: _Emitter.shift, Concat: _Emitter.concat,
}  # fmt: skip
"""The C++ of each kind of unit."""

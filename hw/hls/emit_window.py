"""C++ of the units with a window: convolution, dense and max pool, in the parallel and in the folded form."""

from __future__ import annotations

from crq.hw.dataflow.blocking import APART
from crq.hw.dataflow.memory import BRAM_BITS, weights_in_bram
from crq.hw.dataflow.windows import Window
from crq.hw.hls.codes import codes_of
from crq.hw.hls.source import Emitted, Source, cpp_type, number
from crq.hw.hls.tables import ordered_weights, packing, start_table, weight_table
from crq.hw.ir.layers import Conv, Dense, Format, Mac, MaxPool


def mac(source: Source, layer: Conv | Dense) -> Emitted:
    """Exact sums of products with constant codes, and what becomes of them."""
    fold, found, weights_of = source.p.fold, codes_of(source.p), ordered_weights(layer)
    weights = weight_table(source.name, layer, weights_of, fold)
    starts = start_table(source.name, weights_of, fold) if layer.multiplier_free else None
    tables = [weights, *([starts] if starts else []), *found.tables]
    body = _weight_pragmas(source, layer, weights.name, len(weights.values))
    for table in [*([starts] if starts else []), *([] if found.one_by_one else found.tables)]:
        body += source.partition(table)
    body += [*(found.pragmas or []), found.declaration]
    arguments = [weights.name, starts.name if starts else "crq::no_table()", "codes"]
    body += _call(source, "mac", arguments, "_searched" if found.one_by_one else "")
    return source.made([*_mac_fields(source, layer), *found.fields], body, tables)


def max_pool(source: Source, layer: MaxPool) -> Emitted:
    """The greatest value of each channel's window."""
    kernel, fmt = _window(source).kernel, source.p.input.tensor.format
    lowest = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    fields = [*window_fields(source, kernel[0] * kernel[1]), number("lowest", lowest, "int")]
    return source.made(fields, _call(source, "max_pool", []))


def _call(source: Source, kernel: str, arguments: list[str], how: str = "") -> list[str]:
    """The kernel's call behind the memory that it works on; `how` ends the name of a streaming one."""
    if not source.streaming:
        return [source.kernel(f"{kernel}_parallel", *arguments)]
    if source.p.loop:
        return [*_buffer(source), source.kernel(f"{kernel}_folded{how}", "buffer", *arguments)]
    return [*window_lines(source), source.kernel(f"{kernel}_stream{how}", "lines", *arguments)]


def _window(source: Source) -> Window:
    assert source.p.window is not None
    return source.p.window


def window_lines(source: Source) -> list[str]:
    """The line buffers of the parallel form: all rows of the window but the one that arrives."""
    w = _window(source)
    rows, width = w.span[0] - 1, w.padded[1]
    lines = f"{source.p.input.type_name}::value_type lines"
    if not rows:
        return [f"{lines}[1][1][{w.image.c}];"]
    return [
        f"{lines}[{rows}][{width}][{w.image.c}];",
        "#pragma HLS ARRAY_PARTITION variable=lines complete dim=1",
        "#pragma HLS ARRAY_RESHAPE variable=lines complete dim=3",
        f"#pragma HLS DEPENDENCE variable=lines inter RAW distance={width} true",
    ]


def _buffer(source: Source) -> list[str]:
    """The rows of the folded form, where the estimate has them."""
    loop, stream = source.p.loop, source.p.input
    assert loop is not None
    bits = (loop.rows << loop.ring.row_bits) * stream.beat * stream.tensor.format.bits
    return [
        f"{stream.type_name}::value_type buffer[crq::ring<{source.config}>::depth][{source.config}::word];",
        "#pragma HLS ARRAY_RESHAPE variable=buffer complete dim=2",
        f"#pragma HLS BIND_STORAGE variable=buffer type=ram_s2p impl={'bram' if bits >= BRAM_BITS else 'lutram'}",
    ]


def _weight_pragmas(source: Source, layer: Mac, name: str, words: int) -> list[str]:
    pragmas = [f"#pragma HLS ARRAY_RESHAPE variable={name} complete dim={d}" for d in (2, 3)]
    if words > 1:
        impl = "bram" if weights_in_bram(layer, source.p.fold) else "lutram"
        pragmas.append(f"#pragma HLS BIND_STORAGE variable={name} type=rom_1p impl={impl}")
    return pragmas


def window_fields(source: Source, simd: int) -> list[str]:
    w = _window(source)
    values = {
        "in_height": w.image.h, "in_width": w.image.w, "in_channels": w.image.c,
        "out_height": w.output.h, "out_width": w.output.w, "out_channels": w.output.c,
        "kernel_height": w.kernel[0], "kernel_width": w.kernel[1],
        "stride_height": w.stride[0], "stride_width": w.stride[1],
        "dilation_height": w.dilation[0], "dilation_width": w.dilation[1],
        "pad_top": w.pads.top, "pad_left": w.pads.left, "pad_bottom": w.pads.bottom, "pad_right": w.pads.right,
        "groups": w.groups, "pe": source.p.fold.pe, "simd": simd,
    }  # fmt: skip
    return [number(name, value) for name, value in values.items()] + _loop_fields(source)


LOOP = {
    "word": "channels of a word of the memory",
    "pixel_words": "words of a pixel",
    "ring_groups": "groups of words that are read apart",
    "blocks": "blocks of output channels, in each group",
    "row_bits": "a row of the memory begins at a multiple of 2^row_bits",
    "ring_rows": "rows that the memory holds",
    "first_words": "words that enter before the first output row",
    "idle": "iterations behind them without a word, in which the last one is written",
    "row_cycles": "iterations of an output row",
    "period": "of which every period-th takes a word",
    "last_row": "image rows that output rows need; those behind enter at the end",
    "until_low": "and so many words of that row",
    "until_most": "the largest of these rows, whatever its sign",
    "until_first": "row up to which words enter in output row 0, stride_height more in each",
}
"""What the fields of a folded loop mean (kernels/crq_ring.h)."""


def _loop_fields(source: Source) -> list[str]:
    """Where words lie in the memory of a folded window, and in which iterations they enter."""
    loop, unit = source.p.loop, source.p.unit
    if loop is None:
        return []
    assert unit is not None
    found, slide = loop.ring, loop.ring.slide
    beyond, low = divmod(-loop.late, found.row_words)
    first = slide.stride[0] - slide.pads.top + slide.span[0] + beyond
    values = {
        "word": source.p.input.beat, "pixel_words": found.words, "ring_groups": found.groups, "blocks": found.blocks,
        "row_bits": found.row_bits, "ring_rows": loop.rows, "first_words": loop.first, "idle": APART,
        "row_cycles": loop.row_cycles, "period": loop.period, "last_row": int(loop.entered[-1]) // found.row_words,
        "until_low": low, "until_most": max(abs(first), abs(first + slide.output.h * slide.stride[0])),
    }  # fmt: skip
    return [
        *(number(name, value, says=LOOP.get(name, "")) for name, value in values.items()),
        number("until_first", first, "int", LOOP["until_first"]),
        f"static const bool lanewise = {'true' if unit.is_lanewise else 'false'};",
    ]


def _mac_fields(source: Source, layer: Mac) -> list[str]:
    simd = source.p.fold.simd
    pack = packing(layer, simd)
    accum, data = layer.output.format, layer.input.format
    return [
        *window_fields(source, simd),
        f"static const bool ternary = {'true' if layer.multiplier_free else 'false'};",
        number("weight_bits", pack.weight_bits),
        number("weight_mask", (1 << pack.weight_bits) - 1),
        number("words", pack.words),
        number("word_lanes", pack.word_lanes),
        number("in_bits", data.bits),
        number("partial_bits", partial_bits(data, pack.weight_bits, simd)),
        f"typedef {cpp_type(accum)} accum_t;",
        f"static const int accum_bits = {accum.bits}; // C simulation only, as the next two",
        f"static const bool accum_signed = {'true' if accum.signed else 'false'};",
        f"typedef {fast_lane(accum, data, layer.multiplier_free)} fast_lane_t;",
    ]


def partial_bits(data: Format, weight_bits: int, simd: int) -> int:
    """Width of the sum of one cycle's products: each has the operand's and the weight's bits together."""
    return data.bits + weight_bits + (simd - 1).bit_length()


def fast_lane(accum: Format, data: Format, ternary: bool) -> str:
    """The narrowest native type whose sums, modulo its width, give the accumulator's value."""
    bits = max(accum.bits, data.bits + 1)
    if ternary and bits <= 16:
        return "unsigned short"
    return "unsigned int" if bits <= 32 else "unsigned long long"

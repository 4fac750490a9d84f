"""The points of circuits.py: circuits of hw/rtl/lib with their parameters, drawn so that a formula can be fitted."""

from __future__ import annotations

from collections.abc import Callable

from unrolled import built_in, graphs, output_bits

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import in_bram

Parameters = dict[str, object]
Points = list[Parameters]


def rings() -> Points:
    """Convolutions, pools, dense layers and pixels alone, in LUT memory and block RAM."""
    points: Points = []
    for bits, words, blocks, size, kernel, stride, pad, block, groups, dilation in (
        (16, 4, 4, 32, 3, 1, 1, 1, 1, 1), (16, 4, 4, 32, 3, 1, 1, 0, 1, 1), (16, 4, 16, 32, 3, 1, 1, 1, 1, 1),
        (16, 8, 8, 16, 3, 1, 1, 1, 1, 1), (16, 8, 8, 16, 3, 1, 1, 0, 1, 1), (16, 16, 16, 8, 3, 1, 1, 1, 1, 1),
        (16, 4, 16, 32, 3, 2, 1, 1, 1, 1), (16, 8, 32, 16, 3, 2, 1, 1, 1, 1), (24, 1, 16, 32, 3, 1, 1, 0, 1, 1),
        (8, 3, 16, 28, 3, 1, 1, 0, 1, 1), (64, 1, 2, 16, 3, 1, 1, 0, 1, 1), (64, 4, 2, 16, 3, 1, 1, 1, 1, 1),
        (8, 6, 5, 12, 3, 1, 1, 0, 1, 1), (8, 6, 5, 12, 3, 1, 0, 0, 1, 1), (8, 6, 5, 12, 3, 2, 1, 0, 1, 1),
        (8, 2, 3, 14, 5, 1, 2, 0, 1, 1), (8, 2, 3, 14, 5, 1, 0, 1, 1, 1), (8, 4, 3, 14, 5, 2, 2, 0, 1, 1),
        (16, 2, 1, 12, 3, 1, 1, 0, 1, 1), (16, 1, 1, 12, 3, 1, 1, 0, 1, 1), (12, 5, 7, 9, 3, 1, 1, 0, 1, 1),
        (12, 5, 7, 9, 3, 1, 1, 1, 1, 1), (4, 8, 1, 8, 3, 1, 1, 0, 8, 1), (4, 8, 1, 8, 3, 2, 1, 0, 8, 1),
        (8, 6, 1, 10, 3, 1, 1, 0, 6, 1), (8, 8, 2, 10, 3, 1, 1, 0, 2, 1), (8, 8, 4, 10, 3, 1, 1, 0, 4, 1),
        (16, 4, 1, 16, 2, 2, 0, 0, 4, 1), (16, 4, 1, 16, 2, 2, 0, 1, 4, 1), (32, 16, 1, 16, 2, 2, 0, 1, 16, 1),
        (16, 6, 1, 14, 3, 2, 1, 0, 6, 1), (8, 4, 4, 12, 3, 1, 2, 0, 1, 2), (8, 3, 4, 12, 3, 1, 0, 0, 1, 2),
        (8, 16, 4, 24, 3, 1, 1, 1, 1, 1), (32, 2, 8, 10, 3, 1, 1, 0, 1, 1), (4, 16, 16, 8, 3, 1, 1, 0, 1, 1),
        (4, 4, 64, 8, 3, 1, 1, 0, 1, 1), (16, 4, 4, 20, 4, 2, 1, 1, 1, 1), (2, 32, 32, 6, 3, 1, 1, 0, 1, 1),
        (8, 8, 16, 7, 3, 2, 1, 1, 1, 1),
    ):  # fmt: skip
        out = (size + 2 * pad - (kernel - 1) * dilation - 1) // stride + 1
        rows = max((kernel - 1) * dilation + 1 + stride, 2)
        points.append({
            "BITS": bits, "WORDS": words, "GROUPS": groups, "BLOCKS": blocks, "HEIGHT": size, "WIDTH": size,
            "KERNEL_H": kernel, "KERNEL_W": kernel, "STRIDE_H": stride, "STRIDE_W": stride, "DILATION_H": dilation,
            "DILATION_W": dilation, "PAD_TOP": pad, "PAD_LEFT": pad, "OUT_H": out, "OUT_W": out, "RB": clog2(rows),
            "BLOCK": block})  # fmt: skip
    # A kernel of one pixel, as a column; and a dense layer, whose kernel is the row.
    flat = {"HEIGHT": 1, "WIDTH": 1, "KERNEL_H": 1, "KERNEL_W": 1, "STRIDE_H": 1, "STRIDE_W": 1, "DILATION_H": 1,
            "DILATION_W": 1, "PAD_TOP": 0, "PAD_LEFT": 0, "OUT_H": 1, "OUT_W": 1, "GROUPS": 1, "RB": 1}  # fmt: skip
    for bits, words, blocks, pixels in (
        (8, 4, 8, 256), (16, 4, 32, 256), (16, 1, 8, 100), (4, 16, 32, 64), (4, 12, 5, 49), (32, 2, 4, 1024),
        (16, 16, 16, 256), (8, 3, 7, 36),
    ):  # fmt: skip
        points.append({**flat, "BITS": bits, "WORDS": words, "BLOCKS": blocks, "HEIGHT": pixels, "OUT_H": pixels,
                       "BLOCK": 0})  # fmt: skip
    for bits, words, blocks, pixels, block in (
        (4, 64, 10, 1, 0), (16, 16, 10, 1, 0), (8, 8, 10, 16, 0), (16, 16, 10, 16, 0), (4, 96, 10, 1, 0),
        (8, 24, 5, 1, 0), (16, 256, 128, 16, 1), (32, 1, 12, 16, 0), (8, 12, 12, 9, 0), (16, 32, 16, 1, 0),
    ):  # fmt: skip
        points.append({**flat, "BITS": bits, "WORDS": words, "BLOCKS": blocks, "WIDTH": pixels, "KERNEL_W": pixels,
                       "BLOCK": block})  # fmt: skip
    return points


def codes() -> Points:
    """Sequential stages: tables in LUTs and block RAM, and progressions."""
    points: Points = []
    for lanes, searchers, bits, blocks, width in (
        (4, 1, 4, 4, 11), (4, 1, 4, 1, 11), (1, 1, 4, 16, 12), (2, 1, 4, 4, 10), (8, 1, 4, 1, 10), (8, 2, 4, 2, 12),
        (4, 4, 4, 4, 11), (2, 2, 4, 8, 9), (4, 1, 2, 8, 11), (4, 1, 2, 16, 10), (8, 1, 2, 4, 12), (1, 1, 8, 1, 13),
        (6, 1, 4, 2, 11), (3, 1, 3, 4, 9), (5, 1, 3, 4, 12), (16, 2, 2, 4, 11), (1, 1, 3, 24, 10), (2, 1, 5, 4, 12),
    ):  # fmt: skip
        points.append({"KIND": "lut", "LANES": lanes, "SEARCHERS": searchers, "BITS": bits, "BLOCKS": blocks,
                       "WIDTH": width})  # fmt: skip
    for lanes, searchers, bits, blocks, width in (
        (4, 1, 4, 16, 12), (4, 1, 8, 4, 12), (1, 1, 8, 16, 12), (2, 1, 8, 32, 13), (8, 2, 8, 4, 12), (4, 1, 6, 8, 11),
    ):  # fmt: skip
        points.append({"KIND": "bram", "LANES": lanes, "SEARCHERS": searchers, "BITS": bits, "BLOCKS": blocks,
                       "WIDTH": width})  # fmt: skip
    for lanes, searchers, bits, blocks, width in (
        (4, 1, 4, 8, 11), (4, 1, 4, 16, 12), (2, 1, 4, 16, 11), (2, 1, 4, 32, 12), (1, 1, 4, 32, 12),
        (4, 1, 8, 4, 12), (4, 1, 8, 8, 13), (1, 1, 8, 32, 12), (1, 1, 8, 64, 12), (8, 2, 8, 4, 12), (8, 1, 8, 4, 13),
        (8, 1, 4, 4, 12), (16, 1, 4, 4, 12), (4, 1, 5, 8, 12), (4, 1, 6, 8, 12), (6, 1, 4, 8, 12), (3, 1, 8, 8, 12),
        (4, 4, 8, 4, 12), (1, 1, 8, 16, 10), (4, 1, 4, 16, 14), (16, 4, 4, 16, 13), (2, 1, 6, 16, 10),
    ):  # fmt: skip
        points.append({"KIND": "ramp", "LANES": lanes, "SEARCHERS": searchers, "BITS": bits, "BLOCKS": blocks,
                       "WIDTH": width})  # fmt: skip
    return points


def windows() -> Points:
    """Images with line buffers, and rows without."""
    points: Points = []
    for channels, bits, size, span, stride, pad in (
        (1, 8, 28, 3, 1, 1), (4, 4, 8, 3, 1, 1), (16, 2, 32, 3, 1, 1), (8, 4, 14, 5, 1, 0), (8, 4, 12, 2, 2, 0),
        (3, 8, 32, 3, 2, 1), (32, 4, 8, 3, 1, 0), (16, 4, 10, 1, 1, 0), (64, 4, 8, 3, 1, 1), (2, 2, 64, 3, 1, 0),
        (10, 3, 7, 3, 2, 0), (8, 4, 12, 3, 1, 1), (4, 4, 20, 3, 2, 1), (6, 2, 9, 5, 1, 2), (12, 2, 16, 2, 2, 0),
    ):  # fmt: skip
        pads = dict.fromkeys(("PAD_TOP", "PAD_LEFT", "PAD_BOTTOM", "PAD_RIGHT"), pad)
        bram = (span - 1) * (size + 2 * pad) * channels * bits >= 8192
        points.append({"CHANNELS": channels, "BITS": bits, "HEIGHT": size, "WIDTH": size, "SPAN_H": span,
                       "SPAN_W": span, "STRIDE_H": stride, "STRIDE_W": stride, **pads, "BLOCK": int(bram)})  # fmt: skip
    for width, pixels in ((64, 1), (32, 16), (128, 64)):
        points.append({"CHANNELS": width // 4, "BITS": 4, "HEIGHT": 1, "WIDTH": pixels, "SPAN_H": 1, "SPAN_W": pixels})
    return points


def lanes() -> Points:
    """Folded lanes of ternary and of integer weights."""
    points: Points = []
    for simd in (1, 2, 3, 4, 6, 8, 9, 12, 16, 24):
        for bits in (1, 2, 4, 8) if simd < 9 else (2, 4):
            acc = bits + 6 + int(simd).bit_length() // 2
            points += [{"SIMD": simd, "BITS": bits, "ACC": acc, "SINGLE": 0, "ZERO": z} for z in (0, 1)]
    points += [{"SIMD": s, "BITS": 4, "ACC": 10, "SINGLE": 1, "ZERO": z} for s in (4, 9) for z in (0, 1)]
    for simd, digits, bits in (
        (1, 2, 4), (1, 4, 8), (1, 8, 4), (1, 8, 8), (2, 4, 4), (2, 8, 4), (2, 8, 8), (3, 8, 8), (4, 3, 4), (4, 8, 4),
    ):  # fmt: skip
        points.append({"SIMD": simd, "DIGITS": digits, "BITS": bits, "ACC": bits + digits + 5, "SINGLE": 0})
    return points


def comparators() -> Points:
    """With thresholds in a ROM and built in."""
    return [{"WIDTH": w, "BITS": b} for w in (6, 8, 10, 12, 14) for b in (1, 2, 3, 4)] + built_in()


def fifos() -> Points:
    return [{"WIDTH": w, "DEPTH": d, "BLOCK": int(w * d >= 8192)} for w, d in (
        (8, 2), (28, 2), (64, 2), (16, 3), (64, 5), (16, 8), (16, 16), (8, 27), (32, 33), (64, 64), (24, 120),
        (128, 256), (8, 100), (16, 130), (32, 200), (8, 256), (8, 500), (4, 1000), (16, 512), (16, 700), (16, 1000),
        (32, 300),
    )]  # fmt: skip


def roms() -> Points:
    depths = (
        2,
        4,
        9,
        12,
        16,
        20,
        24,
        32,
        40,
        50,
        64,
        72,
        90,
        100,
        128,
        144,
        160,
        192,
        200,
        240,
        256,
        288,
        320,
        400,
        576,
        800,
    )
    points: Points = [{"WIDTH": 8, "DEPTH": d, "BLOCK": 0} for d in depths]
    return points + [{"WIDTH": w, "DEPTH": d, "BLOCK": 1} for w, d in (
        (36, 300), (128, 72), (16, 1500), (9, 2000), (32, 1152), (32, 2304), (16, 2304), (16, 576), (72, 1100),
        (8, 4608), (8, 1152), (8, 2304), (64, 2304), (32, 4608), (4, 9216), (24, 1200), (36, 2304), (128, 600),
    )]  # fmt: skip


def sums() -> Points:
    points: Points = []
    for pe, blocks, pixels, bits in (
        (1, 8, 16, 4), (2, 8, 36, 4), (4, 8, 36, 4), (4, 1, 64, 4), (8, 2, 49, 8), (1, 64, 64, 4), (4, 16, 64, 4),
        (16, 4, 16, 4), (2, 5, 25, 6), (3, 1, 49, 4), (4, 3, 81, 3),
    ):  # fmt: skip
        points.append({"PE": pe, "BLOCKS": blocks, "PIXELS": pixels, "BITS": bits, "OUT": bits + clog2(pixels)})
    return points


def rounds() -> Points:
    points: Points = []
    for lanes_, width, bits, signed, shift, offset in (
        (4, 9, 4, 0, 4, 0), (4, 9, 4, 0, 4, 3), (4, 8, 4, 0, 4, 0), (1, 10, 4, 0, 5, 0), (4, 12, 8, 0, 4, 0),
        (4, 12, 4, 1, 6, 0), (4, 10, 4, 0, 6, 17), (4, 8, 2, 0, 5, 0), (4, 12, 8, 1, 3, 0), (4, 7, 4, 0, 0, 0),
        (4, 9, 4, 0, 1, 0), (4, 9, 4, 0, 2, 1), (4, 14, 8, 0, 6, -5), (4, 16, 4, 0, 9, 0), (4, 11, 4, 0, 2, 0),
        (4, 11, 2, 1, 4, 0),
    ):  # fmt: skip
        points.append({"LANES": lanes_, "WIDTH": width, "BITS": bits, "SIGNED": signed, "SHIFT": shift,
                       "OFFSET": offset, "OB": width + bool(offset)})  # fmt: skip
    return points


def searches() -> Points:
    return [
        {"WIDTH": w, "STEP": s, "BLOCKS": b, "BLOCK": 0}
        for w, s, b in (
            (10, 0, 1),
            (10, 0, 8),
            (10, 2, 4),
            (12, 4, 1),
            (12, 4, 4),
            (12, 6, 1),
            (12, 7, 1),
            (14, 5, 4),
            (9, 3, 8),
        )
    ]


def adders() -> Points:
    points: Points = [{"LANES": 4, "XB": a, "YB": b, "OUT": max(a, b) + 1, "XS": s, "YS": t} for a, b, s, t in (
        (4, 4, 1, 1), (8, 8, 1, 1), (12, 6, 1, 1), (4, 4, 0, 0), (8, 8, 0, 0), (8, 4, 0, 0), (8, 6, 0, 1), (4, 8, 1, 0),
    )]  # fmt: skip
    return [*points, {"LANES": 4, "XB": 8, "YB": 1, "OUT": 9, "XS": 1, "YS": 0, "NEGATE": 1}]


def converters() -> Points:
    return [{"WIDTH": w, "N": n} for w, n in ((4, 2), (4, 4), (8, 4), (16, 2), (16, 8), (6, 3), (4, 16))]


def enlargements() -> Points:
    """Copies and parts of pixels, over rows in LUT memory and block RAM, and signals of one row."""
    points: Points = []
    for lanes, bits, parts, words, columns, factor_h, factor_w in (
        (4, 4, 1, 1, 16, 2, 2), (4, 4, 1, 4, 16, 2, 2), (1, 4, 1, 8, 8, 2, 2), (8, 4, 1, 2, 14, 2, 2),
        (2, 6, 1, 3, 7, 3, 3), (4, 4, 1, 1, 20, 1, 2), (4, 4, 1, 6, 20, 1, 4), (4, 4, 4, 1, 16, 2, 2),
        (2, 4, 4, 4, 16, 2, 2), (1, 8, 4, 3, 9, 2, 2), (2, 4, 9, 2, 10, 3, 3), (4, 4, 2, 3, 20, 1, 2),
        (2, 5, 16, 2, 8, 4, 4), (8, 4, 1, 8, 32, 2, 2), (4, 4, 4, 8, 32, 2, 2), (8, 4, 4, 4, 28, 2, 2),
        (16, 4, 1, 4, 64, 2, 2), (2, 8, 1, 16, 12, 4, 4),
    ):  # fmt: skip
        depth = (columns if factor_h > 1 else 1) * words
        points.append({
            "LANES": lanes, "BITS": bits, "PARTS": parts, "WORDS": words, "COLUMNS": columns, "FACTOR_H": factor_h,
            "FACTOR_W": factor_w, "BLOCK": int(in_bram(depth * lanes * parts * bits))})  # fmt: skip
    return points


SWEEPS: dict[str, Callable[[], Points]] = {
    "crq_select": lambda: [{"WIDTH": 4, "N": n} for n in (
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 18, 20, 24, 27, 32, 36, 48, 64, 72, 96, 144)],
    "crq_pe": lanes,
    "crq_max": lambda: [{"N": n, "BITS": b} for n in (2, 4, 9) for b in (1, 2, 3, 4, 5, 6, 8)],
    "crq_global_sum": sums,
    "graph": graphs,
    "crq_compare": comparators,
    "crq_window": windows,
    "crq_fifo": fifos,
    "crq_rom": roms,
    "crq_add": adders,
    "crq_ring": rings,
    "codes": codes,
    "crq_round": rounds,
    "crq_search": searches,
    "crq_narrow": converters,
    "crq_widen": converters,
    "crq_decimate": lambda: [
        {"WIDTH": 16, "WORDS": w, "HEIGHT": h, "COLUMNS": h, "STRIDE_H": s, "STRIDE_W": s}
        for w, h, s in ((4, 32, 2), (16, 32, 2), (16, 16, 2), (1, 12, 2), (3, 15, 2), (32, 16, 2), (4, 9, 3),
                        (5, 20, 2))],
    "crq_enlarge": enlargements,
    "crq_output": lambda: [{"WIDTH": w} for w in (4, 16, 33)],
    "crq_fork": lambda: [{"N": n} for n in (2, 3, 4)],
    "crq_steps": lambda: [{"CHUNKS": c, "BLOCKS": b} for c, b in (
        (1, 1), (1, 4), (1, 7), (4, 1), (9, 1), (4, 4), (9, 4), (12, 3), (16, 8), (36, 8), (18, 2), (6, 10))],
    "crq_block_rom": lambda: [{"WIDTH": 8, "BLOCKS": b, "BLOCK": 0} for b in (2, 3, 4, 7, 8, 10, 16, 24, 32, 64)],
}  # fmt: skip
"""Circuit to its points; "codes" is the module of crq.hw.rtl.sequential, "graph" that of crq.hw.rtl.graph."""

STREAM = {"clk": 1, "rst": 1, "in_valid": 1, "in_ready": 1, "out_valid": 1, "out_ready": 1}
OUTPUTS = ("q", "y", "acc", "code", "codes", "in_ready", "active", "window", "out_valid", "out_data", "step", "valid",
           "first", "last", "free", "x_next", "block_next", "prefix_next", "chunk", "block", "address", "first_chunk",
           "last_chunk")  # fmt: skip


def ports(circuit: str, p: Parameters) -> dict[str, int]:
    """Name and width of every port."""
    n = {k: int(v) for k, v in p.items() if isinstance(v, int)}
    return PORTS[circuit](n)


def _ring(n: dict[str, int]) -> dict[str, int]:
    steps = n["GROUPS"] * n["BLOCKS"] * n["KERNEL_H"] * n["KERNEL_W"] * (n["WORDS"] // n["GROUPS"])
    return {"clk": 1, "rst": 1, "in_valid": 1, "in_ready": 1, "in_data": n["BITS"], "en": 1,
            "step": max(1, clog2(steps)), "valid": 1, "first": 1, "last": 1, "q": n["BITS"]}  # fmt: skip


def _steps(n: dict[str, int]) -> dict[str, int]:
    chunk, block, both = (max(1, clog2(k)) for k in (n["CHUNKS"], n["BLOCKS"], n["CHUNKS"] * n["BLOCKS"]))
    return {"clk": 1, "rst": 1, "go": 1, "chunk": chunk, "block": block, "address": both, "first_chunk": 1,
            "last_chunk": 1, "last": 1}  # fmt: skip


def _search(n: dict[str, int]) -> dict[str, int]:
    block, w = max(1, clog2(n["BLOCKS"])), n["WIDTH"]
    return {"clk": 1, "en": 1, "x": w, "block": block, "prefix": max(1, n["STEP"]), "x_next": w, "block_next": block,
            "prefix_next": n["STEP"] + 1}  # fmt: skip


PORTS: dict[str, Callable[[dict[str, int]], dict[str, int]]] = {
    "crq_select": lambda n: {"clk": 1, "en": 1, "d": n["N"] * n["WIDTH"], "sel": max(1, clog2(n["N"])),
                             "q": n["WIDTH"]},
    "crq_pe": lambda n: {"clk": 1, "en": 1, "x": n["SIMD"] * n["BITS"], "nz": n["SIMD"] * n.get("DIGITS", 1),
                         "neg": n["SIMD"] * n.get("DIGITS", 1), "first": 1, "start": n["ACC"], "acc": n["ACC"]},
    "graph": lambda n: {"clk": 1, "en": 1, "x": n["ELEMENTS"] * n["BITS"], "y": n["OUTPUTS"] * output_bits(n)},
    "crq_compare": lambda n: {"x": n["WIDTH"], "t": n["WIDTH"] * ((1 << n["BITS"]) - 1), "code": n["BITS"]},
    "crq_window": lambda n: {"clk": 1, "rst": 1, "en": 1, "in_valid": 1, "in_ready": 1,
                             "in_data": n["CHANNELS"] * n["BITS"], "active": 1, "last": 1,
                             "window": n["CHANNELS"] * n["BITS"] * n["SPAN_H"] * n["SPAN_W"]},
    "crq_fifo": lambda n: {**STREAM, "in_data": n["WIDTH"], "out_data": n["WIDTH"]},
    "crq_rom": lambda n: {"clk": 1, "en": 1, "address": max(1, clog2(n["DEPTH"])), "q": n["WIDTH"]},
    "crq_block_rom": lambda n: {"clk": 1, "rst": 1, "en": 1, "advance": 1, "q": n["WIDTH"]},
    "crq_max": lambda n: {"d": n["N"] * n["BITS"], "q": n["BITS"]},
    "crq_global_sum": lambda n: {**STREAM, "in_data": n["PE"] * n["BITS"], "out_data": n["PE"] * n["OUT"]},
    "crq_add": lambda n: {"x": n["LANES"] * n["XB"], "y": n["LANES"] * n["YB"], "q": n["LANES"] * n["OUT"]},
    "crq_ring": _ring,
    "codes": lambda n: {"clk": 1, "rst": 1, "load": 1, "free": 1, "sums": n["LANES"] * n["WIDTH"], "out_valid": 1,
                        "out_ready": 1, "out_data": n["LANES"] * n["BITS"]},
    "crq_round": lambda n: {"x": n["LANES"] * n["WIDTH"], "codes": n["LANES"] * n["BITS"]},
    "crq_search": _search,
    "crq_narrow": lambda n: {**STREAM, "in_data": n["N"] * n["WIDTH"], "out_data": n["WIDTH"]},
    "crq_widen": lambda n: {**STREAM, "in_data": n["WIDTH"], "out_data": n["N"] * n["WIDTH"]},
    "crq_decimate": lambda n: {**STREAM, "in_data": n["WIDTH"], "out_data": n["WIDTH"]},
    "crq_enlarge": lambda n: {**STREAM, "in_data": n["LANES"] * n["PARTS"] * n["BITS"],
                              "out_data": n["LANES"] * n["BITS"]},
    "crq_output": lambda n: {"clk": 1, "rst": 1, "push": 1, "free": 1, "d": n["WIDTH"], "out_valid": 1,
                             "out_ready": 1, "out_data": n["WIDTH"]},
    "crq_fork": lambda n: {"clk": 1, "rst": 1, "in_valid": 1, "in_ready": 1, "out_valid": n["N"],
                           "out_ready": n["N"]},
    "crq_steps": _steps,
}  # fmt: skip
"""Width of every port, from the parameters."""

"""Quant, BipolarQuant and MultiThreshold: where pending floats become codes."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto
from qonnx.core.datatype import DataType

from crq.hw.ir.layers import smallest_format
from crq.hw.read.chain import Quantizer, Rule, Steps, Truncation, thresholds
from crq.hw.read.context import Context, InputPart
from crq.hw.read.emit import EXACT_FLOAT32, guard
from crq.hw.read.progressive import narrowed, progressive
from crq.hw.read.refusals import refuse
from crq.hw.read.rounding import bounds, rounding
from crq.hw.read.turning import MAX_EVALUATED, turning
from crq.hw.read.values import Codes, Int, Pending, Raw, Scale, Value

MAX_BITS = 16
"""Of a code."""
MAX_STEPS = (1 << 12) - 1
"""Most thresholds of one channel in a table: each is a comparator, or a word of its memory. More are a progression."""


def quant(ctx: Context, node: NodeProto) -> Codes:
    attributes = ctx.attributes(node)
    value = ctx.value(node)
    shape = value.shape
    scale = ctx.scale(node, ctx.constant(node, 1).value, shape)
    if scale.ndim and isinstance(value, Raw):
        refuse("per-channel-activation", node)
    zero = ctx.number(node, 2)
    if zero != int(zero) or abs(zero) >= EXACT_FLOAT32:
        refuse("zero-point", node, f"zero point {zero:g}")
    low, high = bounds(
        node, ctx.constant(node, 3).value, bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0)),
        MAX_BITS,
    )  # fmt: skip
    quantizer = Quantizer(scale, int(zero), low, high, rounding(node, attributes))
    return codes_of(ctx, node, quantizer, scale if scale.ndim else np.float32(scale))


def bipolar_quant(ctx: Context, node: NodeProto) -> Codes:
    scale = np.float32(ctx.number(node, 1))
    if not scale > 0:
        refuse("not-finite", node, f"its scale is {scale}")
    return codes_of(ctx, node, Quantizer(np.asarray(scale), 0, -1, 1, np.rint, bipolar=True), scale)


def multi_threshold(ctx: Context, node: NodeProto) -> Codes:
    attributes = ctx.attributes(node)
    layout = attributes.get("data_layout", b"").decode()
    shape = ctx.shape(node)
    if not layout and len(shape) == 2:
        refuse("channels-last", node, "has no data_layout, and qonnx takes three dimensions as NWC; write NCW")
    if layout and not layout.startswith("NC"):
        refuse("unsupported-op", node, f"data layout {layout}; expected channels first")
    scale, bias = float(attributes.get("out_scale", 1.0)), float(attributes.get("out_bias", 0.0))
    if not scale > 0:
        refuse("not-finite", node, f"its out_scale is {scale:g}; expected a positive number")
    repeat = next((m for m in (1, 2, 3, 4) if (bias * m / scale) == np.rint(bias * m / scale)), None)
    if repeat is None or abs(bias * repeat / scale) >= EXACT_FLOAT32:
        refuse("zero-point", node, f"out_bias {bias:g} is no simple multiple of out_scale {scale:g} below 2^24")
    table = np.asarray(ctx.constant(node, 1).value)
    if table.ndim != 2 or table.shape[0] not in (1, shape[0]) or not np.isfinite(table).all():
        refuse("malformed", node, f"thresholds of shape {table.shape} for {shape[0]} channels")
    if not table.shape[1] or (np.diff(table, axis=1) < 0).any():
        refuse("malformed", node, f"thresholds of shape {table.shape} that are not ascending, or none")
    if table.shape[1] * repeat > MAX_STEPS:
        refuse("too-many-steps", node, f"{table.shape[1] * repeat:,} steps")
    table = np.broadcast_to(table, (shape[0], table.shape[1]))
    return codes_of(ctx, node, Steps(table, round(bias * repeat / scale), repeat), np.float64(scale / repeat))


def trunc(ctx: Context, node: NodeProto) -> Codes:
    """Brevitas' TruncIntQuant: the lowest bits of a sum, as of an average pool, are dropped.

    Version 2 of qonnx's operator gives the scale of its result and clamps to its bits; version 1 drops as many bits as
    the widths differ by.
    """
    attributes, pending = ctx.attributes(node), ctx.pending(node)
    scale, rounded = np.float32(ctx.number(node, 1)), rounding(node, {"rounding_mode": b"FLOOR"} | attributes)
    if ctx.number(node, 2):
        refuse("zero-point", node, f"zero point {ctx.number(node, 2):g} of a Trunc; expected 0")
    if not scale > 0:
        refuse("not-finite", node, f"its scale is {scale}")
    if len(node.input) == 6:
        result = np.float32(ctx.number(node, 4))
        shift = int(np.round(np.log2(result / scale))) if result > 0 else -1
        signed, narrow = bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0))
        low, high = bounds(node, ctx.constant(node, 5).value, signed, narrow, 12)
    elif pending.chain.turns:
        refuse("turning", node, "a Trunc of version 1, whose range is not told")
    else:
        result, shift = scale, int(ctx.number(node, 3) - ctx.number(node, 4))
        ends = np.stack([pending.int.lo, pending.int.hi], axis=1)
        units = pending.chain(ends, np.float64) / np.float64(scale) / 2.0 ** max(shift, 0)
        low, high = int(np.floor(units.min())) - 1, int(np.ceil(units.max())) + 1
    if not 0 <= shift < 24 or high - low > MAX_STEPS:
        refuse("too-many-steps", node, f"{shift} bits are dropped, and {high - low:,} steps left")
    return codes_of(ctx, node, Truncation(np.asarray(scale), shift, low, high, rounded), result)


def codes_of(ctx: Context, node: NodeProto, quantizer: Rule, scale: Scale) -> Codes:
    value = ctx.value(node)
    if isinstance(value, Raw):
        if isinstance(quantizer, Steps | Truncation) or quantizer.bipolar:
            refuse("input-quantizer", node)
        return _input(ctx, node, value, quantizer, scale)
    if isinstance(value, Codes) and _is_same_grid(value, quantizer, scale):
        return value
    pending = ctx.pending(node)
    if not isinstance(quantizer, Steps | Truncation) and quantizer.qmax - quantizer.qmin > MAX_STEPS:
        if pending.chain.turns:
            refuse("progression", node, "the codes rise and fall with their sum")
        quantizer = narrowed(pending.chain, quantizer, pending.int.lo, pending.int.hi)
        if quantizer.qmax - quantizer.qmin > MAX_STEPS:
            return _progressive(ctx, node, pending, quantizer, scale)
    guard(ctx.name(node), pending.int.channels, 4 * (quantizer.qmax - quantizer.qmin))  # bisection holds a few tables
    if pending.chain.turns:
        return _turning(ctx, node, pending, quantizer, scale)
    found = thresholds(pending.chain, quantizer, pending.int.lo, pending.int.hi)
    x = signed(ctx, ctx.name(node), pending).int
    result = ctx.emit.threshold(ctx.name(node), x, found.thresholds, quantizer.qmin)
    layer = ctx.emit.nodes[-1].name
    if len(found.ties):
        ctx.ties[layer] = found.ties.tolist()
    ctx.record_source(layer, node, scale)
    return Codes(result, scale)


def _progressive(ctx: Context, node: NodeProto, pending: Pending, quantizer: Quantizer, scale: Scale) -> Codes:
    """More codes than a table has entries: their thresholds are a progression."""
    guard(ctx.name(node), pending.int.channels, quantizer.qmax - quantizer.qmin)
    found = progressive(pending.chain, quantizer, pending.int.lo, pending.int.hi)
    if isinstance(found, int):
        refuse("progression", node, f"channel {found} of {pending.int.channels}")
    x = signed(ctx, ctx.name(node), pending).int
    result = ctx.emit.progression(ctx.name(node), x, found.progression, found.qmin)
    layer = ctx.emit.nodes[-1].name
    if len(found.ties):
        ctx.ties[layer] = found.ties.tolist()
    ctx.record_source(layer, node, scale)
    return Codes(result, scale)


def _turning(ctx: Context, node: NodeProto, pending: Pending, quantizer: Rule, scale: Scale) -> Codes:
    """Codes that rise and fall with their sum: those of a table of it and of a table of its opposite, added."""
    x, name = pending.int, ctx.name(node)
    evaluated = int((x.hi - x.lo + 1).sum())
    if evaluated > MAX_EVALUATED:
        refuse("turning", node, f"{evaluated:,} sums of all channels; expected at most {MAX_EVALUATED:,}")
    found = turning(pending.chain, quantizer, x.lo, x.hi)
    if isinstance(found, str):
        refuse("turning", node, found)
    opposite = ctx.emit.negate(f"{name}_opposite", x, np.full(x.channels, -1))
    rise = ctx.emit.threshold(f"{name}_rise", x, found.rise, found.rise_least)
    fall = ctx.emit.threshold(f"{name}_fall", opposite, found.fall, found.fall_least)
    result = ctx.emit.add(name, rise, fall)
    layer = ctx.emit.nodes[-1].name
    if len(found.ties):
        ctx.ties[layer] = found.ties.tolist()
    ctx.record_source(layer, node, scale)
    return Codes(result, scale)


def _input(ctx: Context, node: NodeProto, value: Raw, quantizer: Quantizer, scale: Scale) -> Codes:
    """The codes that the host makes of the file's input, and in the metadata how."""
    if quantizer.round is not np.rint:
        mode = ctx.attributes(node)["rounding_mode"].decode()
        refuse("rounding-mode", node, f"rounding mode {mode!r} on the network's input, whose host rounds half to even")
    ends = quantizer.qmin, quantizer.qmax
    dtype = DataType[smallest_format(*ends).qonnx]
    facts = {
        "preprocessing": tuple((kind, constant.tolist()) for kind, constant in value.steps),
        "range": None if ends == (dtype.min(), dtype.max()) else ends,
        "zero_point": quantizer.zero,
    }
    port = ctx.ports[value.port]
    known = port.parts.get(value.first or 0)
    if known is not None:  # quantized before, for another reader
        same = known.codes.int.shape == value.unpadded and known.codes.scale == scale
        if not same or ctx.emit.types[known.codes.int.name] != dtype.name or known.facts != facts:
            refuse("input-quantizer", node, "quantizes the network's input a second time, and differently")
        return _padded(ctx, node, value, known.codes)
    if value.first is None:
        codes = Codes(ctx.emit.input(ctx.input_name(port), value.unpadded, dtype.name, ends), scale)
        port.codes, port.facts, layer = codes.int, {**facts, "scale": float(scale)}, codes.int.name
    else:
        layer = ctx.emit.unique(f"input{len(port.parts) + 1}")
        codes = Codes(ctx.emit.part(f"{layer}_out", value.unpadded, dtype.name, ends), scale)
    port.parts[value.first or 0] = InputPart(codes, facts)
    if not any(value.pads):
        ctx.record_source(layer, node, scale)
    return _padded(ctx, node, value, codes)


def _padded(ctx: Context, node: NodeProto, value: Raw, codes: Codes) -> Codes:
    """The input's codes, with those of the zeros around its pixels where the file puts them before the quantizer."""
    if not any(value.pads):
        return codes
    if codes.int.lo.min() > 0 or codes.int.hi.max() < 0:
        refuse("pad", node, "zeros around the pixels are no codes of this quantizer")
    return codes._replace(int=ctx.emit.padded(f"{ctx.name(node)}_pad", codes.int, value.pads))


def signed(ctx: Context, name: str, pending: Pending) -> Pending:
    """`pending` with σ applied to its integers, so that what follows them never falls. Refuses a chain that turns."""
    if pending.chain.turns:
        refuse("turning", name, "a pool of values that rise and fall with their sum")
    signs = pending.chain.signs
    if (signs > 0).all():
        return pending
    x: Int = ctx.emit.negate(f"{name}_sign", pending.int, signs)
    return Pending(x, pending.chain.after("Mul", signs.astype(np.float32)))


def _is_same_grid(value: Value, quantizer: Rule, scale: Scale) -> bool:
    """A second Quant with the grid the codes are already on changes nothing."""
    return (
        isinstance(value, Codes)
        and isinstance(quantizer, Quantizer)
        and not quantizer.bipolar
        and np.array_equal(value.scale, scale)
        and quantizer.qmin <= value.int.lo.min()
        and value.int.hi.max() <= quantizer.qmax
    )

"""Tensors that only renumber others: slices, splits, channel shuffles, flattens. A view says what stands where.

Until something reads one, nothing is made of it; then it becomes a flatten, or a convolution with a single one per
output channel, whose sums are of one term.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from onnx import NodeProto

from crq.hw.ir.layers import IntArray
from crq.hw.read.context import Context
from crq.hw.read.emit import guard
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Pending, Raw, View


class Taps(NamedTuple):
    """A view of an image as one tap per output channel: (C',) source channel (-1: zeros), row and column; strides."""

    channel: IntArray
    row: IntArray
    column: IntArray
    strides: tuple[int, int]


def view_of(ctx: Context, node: NodeProto) -> View:
    """What input 0 of a renumbering `node` holds; its result is to have the node's name."""
    value = ctx.values.get(node.input[0])
    if isinstance(value, View):
        return value._replace(name=ctx.name(node))
    given = ctx.value(node)
    if isinstance(given, Raw):
        refuse("input-not-quantized", node)
    return View(given, np.arange(np.prod(given.shape)).reshape(given.shape), ctx.name(node))


def lower(ctx: Context, node: NodeProto, view: View) -> Codes | Pending:
    """The tensor that `node` reads."""
    source, places, name = view
    shape = source.shape
    if places.size == np.prod(shape) and np.array_equal(places.reshape(-1), np.arange(places.size)):
        if places.shape == shape:
            return source
        if places.ndim == 1 and (isinstance(source, Codes) or np.prod(shape[1:]) == 1):
            return _flattened(ctx, name, source)
        if (places.shape[0], 1, *places.shape[1:]) == shape or (shape[0], 1, *shape[1:]) == places.shape:
            return replaced(source, ctx.emit.ranked(name, source.int, places.shape))
    flat = places.ndim == 1 and len(shape) > 1
    if flat and isinstance(source, Pending):
        refuse("not-quantized", node, "flattening values that have no quantizer yet")
    if len(shape) == 2 and places.ndim == 3:  # a signal becomes a row of an image, and is moved there
        row = ctx.emit.ranked(f"{name}_row", source.int, (shape[0], 1, shape[1]))
        return lower(ctx, node, View(replaced(source, row), places, name))
    if (
        len(shape) == 3 and places.ndim == 2 and len(np.unique(places[places >= 0] // shape[2] % shape[1])) < 2
    ):  # the reverse
        made = lower(ctx, node, View(source, places[:, None], f"{name}_row"))
        return replaced(made, ctx.emit.ranked(name, made.int, places.shape))
    if not flat and places.ndim != len(shape):
        refuse("reshape", node, f"reads a tensor of shape {shape} rearranged to {places.shape}")
    taps = _taps(places.reshape(-1, 1, 1) if flat or places.ndim == 1 else _image(places), _sizes(shape))
    if taps is None:
        for blocks in (_enlarged, _cropped):
            if (enlarged := blocks(ctx, node, view)) is not None:
                return enlarged
        refuse("reshape", node, f"reads a tensor of shape {shape} rearranged to {places.shape} in another order")
    made = _tapped(ctx, node, view, taps, (1, 1) if flat else _image(places).shape[1:])
    return _flattened(ctx, name, made) if flat else made


def replaced(value: Codes | Pending, integers: Int) -> Codes | Pending:
    """`value` of other integers, whose channels are the same."""
    return value._replace(int=integers) if isinstance(value, Codes) else Pending(integers, value.chain)


def _enlarged(ctx: Context, node: NodeProto, view: View) -> Codes | Pending | None:
    """A view in which every pixel of another is a block of pixels: copies of it, or parts of its channels."""
    source, places, name = view
    image, rank = _image(places), places.ndim - 1
    for factor in _factors(image.shape[1:]):
        parts = _blocks(image, factor)  # (C, pixels of a block, H, W)
        same = bool((parts == parts[:, :1]).all())
        inner = parts[:, 0] if same else parts.reshape(-1, *parts.shape[2:])
        taps = _taps(inner, _sizes(source.shape))
        if taps is None or not (same or np.ptp(taps.row) == np.ptp(taps.column) == 0):
            continue
        inside = inner.reshape(len(inner), *inner.shape[1 : rank + 1])
        made = lower(ctx, node, View(source, inside, f"{name}_parts"))
        block = 1 if same else parts.shape[1]
        if isinstance(made, Pending):
            chain = made.chain.at(np.arange(0, made.int.channels, block))
            if not all(made.chain.at(np.arange(k, made.int.channels, block)).same(chain) for k in range(block)):
                refuse("not-quantized", node, "channels of other scales or biases become pixels of one")
            return Pending(ctx.emit.enlarge(name, made.int, factor[:rank], block), chain)
        scale = np.asarray(made.scale)
        if block > 1 and scale.ndim:
            refuse("per-channel-activation", node, "channels of other scales become pixels of one")
        return Codes(ctx.emit.enlarge(name, made.int, factor[:rank], block), made.scale)
    return None


def _cropped(ctx: Context, node: NodeProto, view: View) -> Codes | Pending | None:
    """A view in which pixels of another are repeated and the outermost blocks are cut: enlarged whole, then cut."""
    source, places, name = view
    image, rank = _image(places), places.ndim - 1
    rows, columns = _repeats(image, 1), _repeats(image, 2)
    if rows is None or columns is None or rows.copies * columns.copies == 1:
        return None
    inner = image[:, rows.first][:, :, columns.first]
    if _taps(inner, _sizes(source.shape)) is None:
        return None
    whole = inner.repeat(rows.copies, 1).repeat(columns.copies, 2)
    enlarged = whole.reshape(len(whole), *whole.shape[1 : rank + 1])
    made = lower(ctx, node, View(source, enlarged, f"{name}_whole"))
    (y, x), (height, width) = (rows.cut, columns.cut), image.shape[1:]
    kept = np.arange(whole.size).reshape(whole.shape)[:, y : y + height, x : x + width]
    return lower(ctx, node, View(made, kept.reshape(places.shape), name))


class _Repeats(NamedTuple):
    """`copies` of each line of an image, of which `cut` of the first are missing; `first`: a place of each."""

    copies: int
    cut: int
    first: IntArray


def _repeats(image: IntArray, axis: int) -> _Repeats | None:
    """The lines of `image` (C, H, W) along an axis; None where some in its middle are repeated more than others."""
    others = tuple(a for a in range(3) if a != axis)
    first = np.flatnonzero(np.append(True, np.diff(image, axis=axis).any(others)))
    sizes = np.diff(np.append(first, image.shape[axis]))
    copies = int(sizes.max())
    return _Repeats(copies, copies - int(sizes[0]), first) if (sizes[1:-1] == copies).all() else None


def _factors(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """Rows and columns of the blocks that an image of `sizes` may be made of, the smallest first."""
    rows, columns = ([f for f in range(1, n + 1) if n % f == 0] for n in sizes)
    return sorted(((y, x) for y in rows for x in columns if y * x > 1), key=lambda f: f[0] * f[1])


def _blocks(image: IntArray, factor: tuple[int, int]) -> IntArray:
    """(C, H, W) by pixel of a block: (C, rows · columns, H / rows, W / columns)."""
    (channels, height, width), (rows, columns) = image.shape, factor
    split = image.reshape(channels, height // rows, rows, width // columns, columns).transpose(0, 2, 4, 1, 3)
    return split.reshape(channels, rows * columns, height // rows, width // columns)


def _sizes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    channels, height, width = (*shape, 1, 1)[:3]
    return channels, height, width


def _image(places: IntArray) -> IntArray:
    return places.reshape(_sizes(places.shape))


def _taps(places: IntArray, sizes: tuple[int, int, int]) -> Taps | None:
    """None if some output channel mixes channels, or steps through its pixels in another order."""
    empty = (places < 0).all((1, 2))
    if (places[~empty] < 0).any():
        return None
    channel, row, column = np.unravel_index(np.maximum(places, 0), sizes)
    strides = []
    for axis, places in ((1, row), (2, column)):
        steps = np.diff(places[~empty], axis=axis)
        step = int(steps.flat[0]) if steps.size else 1
        if step < 1 or (steps != step).any() or (np.diff(places[~empty], axis=3 - axis) != 0).any():
            return None
        strides.append(step)
    if (channel != channel[:, :1, :1]).any():
        return None
    channel, row, column = (
        np.where(empty, -1, channel[:, 0, 0]),
        *(np.where(empty, 0, p[:, 0, 0]) for p in (row, column)),
    )
    return Taps(channel, row, column, (strides[0], strides[1]))


def _tapped(
    ctx: Context, node: NodeProto, view: View, taps: Taps, pixels: tuple[int, ...]
) -> Codes | Pending:  # fmt: skip
    """A convolution with one tap per output channel; a matrix product where there are no pixels."""
    source, name = view.source, view.name
    rank, empty = len(source.shape) - 1, taps.channel < 0
    if empty.any() and isinstance(source, Pending):
        refuse("not-quantized", node, "channels of zeros beside values that have no quantizer yet")
    x, channels = source.int, np.maximum(taps.channel, 0)
    if rank:
        made = _conv(ctx, name, x, taps, rank, pixels)
    else:
        guard(name, len(channels), x.channels)
        weights = np.zeros((x.channels, len(channels)), np.int64)
        weights[channels, np.arange(len(channels))] = ~empty
        made = ctx.emit.matmul(name, x, weights, "TERNARY")
    if isinstance(source, Pending):
        return Pending(made, source.chain.at(channels))
    scale = np.asarray(source.scale)
    return Codes(made, scale[channels] if scale.ndim else source.scale)


def _conv(ctx: Context, name: str, x: Int, taps: Taps, rank: int, pixels: tuple[int, ...]) -> Int:
    sizes = _sizes(x.shape)[1:]
    kernel = [
        max(int(first.max()) + 1, size - count * step + 1)
        for first, size, count, step in zip((taps.row, taps.column), sizes, pixels, taps.strides, strict=True)
    ]
    alone = np.array_equal(taps.channel, np.arange(x.channels))  # each channel by itself
    outputs = np.arange(len(taps.channel))
    guard(name, len(outputs), 1 if alone else x.channels, *kernel)
    weights = np.zeros((len(outputs), 1 if alone else x.channels, *kernel), np.int64)
    weights[outputs, 0 if alone else np.maximum(taps.channel, 0), taps.row, taps.column] = taps.channel >= 0
    strides = list(taps.strides)
    if rank == 1:
        weights, strides = weights[..., 0], strides[:1]
    return ctx.emit.conv(
        name, x, weights, strides, [0] * 2 * rank, [1] * rank, x.channels if alone else 1,
        type_="TERNARY",
    )  # fmt: skip


def _flattened(ctx: Context, name: str, value: Codes | Pending) -> Codes | Pending:
    made = ctx.emit.flatten(name, value.int)
    if isinstance(value, Pending):
        return Pending(made, value.chain)
    pixels = made.channels // value.int.channels
    return Codes(made, np.repeat(value.scale, pixels) if np.ndim(value.scale) else value.scale)

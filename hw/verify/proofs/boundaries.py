"""Operands that put the sums of a layer exactly on its thresholds, and just below them.

A table that is off by one anywhere gives another code for one of the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.units import Unit
from crq.hw.hls.plan import Plan, Process
from crq.hw.ir.layers import Add, Conv, Dense, IntArray, Tensor
from crq.hw.ir.vectors import kinds_of_pixels

MAX_VALUES = 1 << 22
"""Most numbers of the operands that are made at once."""

MAX_PRODUCTS = 1 << 34
"""Products that are spent on one layer, seconds of simulation; of more boundaries an even share is driven."""

MAX_RANGE = 1 << 21
"""Widest range of sums whose reachable values are enumerated, where weights are integers."""

MAX_PLAIN_RANGE = 1 << 24
"""The same where they are ternary, or there are none."""


class Taps(NamedTuple):
    """The operands of one sum: where they lie in the image (channel, row, column), relative to the window's corner.

    From `start`, which gives the least sum, each moves `counts` times by `moves`, and the sum by `units` > 0.
    """

    where: IntArray
    start: IntArray
    moves: IntArray
    counts: IntArray
    units: IntArray
    least: int

    @property
    def greatest(self) -> int:
        return self.least + int((self.counts * self.units).sum())


def operands(plan: Plan, process: Process) -> Iterator[IntArray]:
    """Images (N, C, H, W) of the operand of a process with thresholds, some at a time: both sides of every boundary.

    Those of an addition have the channels of both operands, one after the other.

    Both sides of a share of them, even over each channel's, in a layer where all would take more than `MAX_PRODUCTS`.
    """
    assert process.unit is not None
    layer, tensor = process.unit.layer, process.unit.sources[0]
    if not isinstance(layer, (Conv, Dense)):
        yield _values(process)
        return
    corners, step = _corners(layer), _step(plan, tensor)
    taps = [taps_of(layer, tensor, channel, step) for channel in range(layer.output.shape.c)]
    sides = 2 * sum(len(_levels(process, channel, of)) for channel, of in enumerate(taps))
    images = max(1, MAX_PRODUCTS // layer.macs)
    share = min(1.0, images * len(corners) / max(1, sides))
    targets = ((of, counts) for channel, of in enumerate(taps) for counts in _driven(process, channel, of, share))
    at_once = max(1, MAX_VALUES // tensor.shape.size) * len(corners)
    while some := list(islice(targets, at_once)):
        yield _placed(tensor, corners, step, some)


def _placed(
    tensor: Tensor, corners: Sequence[tuple[int, int]], step: int, targets: Sequence[tuple[Taps, IntArray]]
) -> IntArray:
    """Images with one target at each of the `corners`."""
    rest = np.ones_like(tensor.lo) if step == 2 else np.where((tensor.lo <= 0) & (tensor.hi >= 0), 0, tensor.lo)
    count = -(-len(targets) // len(corners))
    images = np.broadcast_to(rest[:, None, None], (count, *tensor.shape)).astype(np.int64).copy()
    for number, (taps, counts) in enumerate(targets):
        top, left = corners[number % len(corners)]
        c, y, x = taps.where.T
        images[number // len(corners), c, y + top, x + left] = taps.start + counts * taps.moves
    return images


def _step(plan: Plan, tensor: Tensor) -> int:
    """How far apart the codes of a tensor are: a bipolar one has no code 0."""
    return 2 if plan.network.model.get_tensor_datatype(tensor.name).name == "BIPOLAR" else 1


def enumerable(process: Process) -> bool:
    """Whether the sums of a layer can be enumerated: those of a wide range are too many, of integer weights sooner."""
    assert process.unit is not None
    layer, tensor = process.unit.layer, before_thresholds(process)
    plain = not isinstance(layer, (Conv, Dense)) or layer.multiplier_free
    if isinstance(layer, (Conv, Dense)):
        tensor = layer.output
    return int((tensor.hi - tensor.lo).max()) <= (MAX_PLAIN_RANGE if plain else MAX_RANGE)


def reachable(plan: Plan, process: Process, channel: int) -> NDArray[np.int64]:
    """The sums, ascending, that `channel` can take where its whole kernel, or most of it, lies in the image."""
    assert process.unit is not None
    layer, tensor = process.unit.layer, before_thresholds(process)
    if not isinstance(layer, (Conv, Dense)):
        return np.arange(tensor.lo[channel], tensor.hi[channel] + 1)
    return _sums(taps_of(layer, tensor, channel, _step(plan, tensor)))[0]


def _values(process: Process) -> IntArray:
    """Of thresholds on a stream: the values themselves, a channel's one after the other over the pixels."""
    assert process.unit is not None
    assert process.unit.quantizer is not None
    tensor, rows = before_thresholds(process), []
    for channel in range(tensor.shape.c):
        levels = process.unit.quantizer.row(channel)
        values = np.unique(np.concatenate([levels, levels - 1]))
        rows.append(values[(values >= tensor.lo[channel]) & (values <= tensor.hi[channel])])
    pixels = tensor.shape.pixels
    images = -(-max(max(map(len, rows)), 1) // pixels)
    filled = np.broadcast_to(tensor.lo[:, None], (len(rows), images * pixels)).copy()
    for channel, values in enumerate(rows):
        filled[channel, : len(values)] = values
    values = filled.reshape(len(rows), images, tensor.shape.h, tensor.shape.w).transpose(1, 0, 2, 3)
    return _summands(process.unit, values) if isinstance(process.unit.layer, Add) else values


def _summands(unit: Unit, sums: IntArray) -> IntArray:
    """Both operands of an addition, one after the other: the first as near as it can be to half of the sum."""
    (low, high), (least, most) = ([x[:, None, None] for x in (t.lo, t.hi)] for t in unit.sources)
    first = np.clip(sums // 2, np.maximum(low, sums - most), np.minimum(high, sums - least))
    return np.concatenate([first, sums - first], axis=1)


def before_thresholds(process: Process) -> Tensor:
    """What a unit without weights compares: its operand, or the sum of both."""
    assert process.unit is not None
    layer = process.unit.layer
    return layer.output if isinstance(layer, Add) else process.unit.sources[0]


def _corners(layer: Conv | Dense) -> list[tuple[int, int]]:
    """Where windows of the same kind begin that have no operand in common: as many targets as one image takes."""
    if isinstance(layer, Dense):
        return [(0, 0)]
    row, column = kinds_of_pixels(layer)[0]
    places = []
    for axis, centre in enumerate((row, column)):
        size, count = (layer.input.shape[1 + axis], layer.output.shape[1 + axis])
        span = (layer.kernel[axis] - 1) * layer.dilation[axis] + 1
        begin = layer.pads.top if axis == 0 else layer.pads.left
        apart = -(-span // layer.stride[axis])
        starts = [at * layer.stride[axis] - begin for at in range(centre % apart, count, apart)]
        whole = [s for s in starts if s >= 0 and s + span <= size]
        places.append(whole or [centre * layer.stride[axis] - begin])
    return [(y, x) for y in places[0] for x in places[1]]


def taps_of(layer: Conv | Dense, tensor: Tensor, channel: int, step: int = 1) -> Taps:
    """The operands of one output of `channel`; codes of `tensor` move by `step`. What lies in padding is left out."""
    if isinstance(layer, Dense):
        c, h, w = tensor.shape
        weights = layer.weights[channel].reshape(h, w, c).transpose(2, 0, 1).astype(np.int64)
        where = np.argwhere(weights)
        codes = weights[tuple(where.T)]
    else:
        kernel = layer.weights[channel].astype(np.int64)
        found = np.argwhere(kernel)
        codes = kernel[tuple(found.T)]
        first = channel // (len(layer.weights) // layer.groups) * kernel.shape[0]
        where = found * [1, *layer.dilation] + [first, 0, 0]
        top, left = _corners(layer)[0]
        inside = (where[:, 1] + top >= 0) & (where[:, 1] + top < tensor.shape.h)
        inside &= (where[:, 2] + left >= 0) & (where[:, 2] + left < tensor.shape.w)
        where, codes = where[inside], codes[inside]
    lo, hi = tensor.lo[where[:, 0]], tensor.hi[where[:, 0]]
    up = codes > 0
    order = np.argsort(-np.abs(codes), kind="stable")
    start, moves = np.where(up, lo, hi), np.where(up, step, -step)
    counts, units = (hi - lo) // step, np.abs(codes) * step
    return Taps(where[order], start[order], moves[order], counts[order], units[order], int((codes * start).sum()))


def _levels(process: Process, channel: int, taps: Taps) -> NDArray[np.int64]:
    """The thresholds of `channel` inside the range of its sums."""
    assert process.unit is not None
    assert process.unit.quantizer is not None
    levels = process.unit.quantizer.row(channel)
    return np.unique(levels[(levels > taps.least) & (levels <= taps.greatest)])


def _driven(process: Process, channel: int, taps: Taps, share: float) -> Iterator[IntArray]:
    """How often each tap moves, for the sums on both sides of a `share` of the boundaries of `channel`."""
    levels = _levels(process, channel, taps)
    if not len(levels):
        return
    sums, prefixes = _sums(taps)
    at = np.unique(np.searchsorted(sums, levels))
    at = at[np.linspace(0, len(at) - 1, max(1, int(len(at) * share))).astype(int)]
    for target in np.unique(np.concatenate([sums[at], sums[at - 1]])):
        yield _counts(taps, int(target) - taps.least, prefixes)


def _sums(taps: Taps) -> tuple[NDArray[np.int64], list[NDArray[np.bool_]] | None]:
    """Every sum, ascending; and, unless all units are equal, what the last taps reach together, for each number."""
    width = taps.greatest - taps.least
    if len(set(taps.units.tolist())) <= 1:
        unit = int(taps.units[0]) if len(taps.units) else 1
        return np.arange(taps.least, taps.greatest + 1, unit), None
    reach = np.zeros(width + 1, bool)
    reach[0] = True
    prefixes = [reach]
    for unit, count in zip(taps.units[::-1].tolist(), taps.counts[::-1].tolist(), strict=True):
        reach, left, shift = reach.copy(), count, 1
        while left:  # shifts by 1, 2, 4 … units make every number of them
            some = min(shift, left)
            reach[some * unit :] |= reach[: len(reach) - some * unit].copy()
            left, shift = left - some, 2 * shift
        prefixes.append(reach)
    return np.flatnonzero(reach) + taps.least, prefixes


def _counts(taps: Taps, rise: int, prefixes: list[NDArray[np.bool_]] | None) -> IntArray:
    """How often each tap moves so that the sum rises by `rise`, which can be reached."""
    counts = np.zeros(len(taps.units), np.int64)
    for i, (unit, most) in enumerate(zip(taps.units.tolist(), taps.counts.tolist(), strict=True)):
        some = min(most, rise // unit)
        if prefixes is not None:
            rest = prefixes[len(counts) - 1 - i]
            while not rest[rise - some * unit]:
                some -= 1
        counts[i] = some
        rise -= some * unit
    return counts

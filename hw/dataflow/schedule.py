"""The cycle model: how many clock cycles each unit needs per image, and when each beat appears.

A parallel windowed unit visits every pixel of the padded image, one per cycle, and stays `steps` cycles (the reuse
factor) on those that complete a window. A folded one reads a word per cycle, output row by output row, as soon as the
rows that it needs are in its memory (crq.hw.dataflow.rings). The others take a beat per cycle. Both hardware forms, HLS
and RTL, are built on these loops; they differ in pipeline depth only.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.beats import beats_in
from crq.hw.dataflow.rings import Ring, Walk, interval, ring
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.dataflow.windows import window
from crq.hw.ir.digits import digits_of, sum_levels
from crq.hw.ir.layers import ArgMax, Concat, Enlarge, GlobalSum, Mac, MaxPool

Times = NDArray[np.int64]


class Cycles(NamedTuple):
    """Cycles of one unit: per output pixel, and from one image to the next (its initiation interval)."""

    steps: int
    interval: int


class Beats(NamedTuple):
    """Per input, the cycle in which each beat is taken; and the cycle in which each beat of the result appears."""

    taken: tuple[Times, ...]
    given: Times


@lru_cache(maxsize=65536)
def cycles(unit: Unit, fold: Fold) -> Cycles:
    """The cycles of one unit under a folding."""
    if not unit.is_windowed:
        steps = _steps(unit, fold)
        shape = unit.output.shape if isinstance(unit.layer, Enlarge) else unit.sources[0].shape
        return Cycles(steps, shape.pixels * steps)
    steps = unit.reuse_factor(fold)
    if fold.form == FOLDED:
        return Cycles(steps, interval(ring(unit, fold)))
    (rows, columns), windows = window(unit).padded, unit.output.shape.pixels
    return Cycles(steps, rows * columns - windows + windows * steps)


def _steps(unit: Unit, fold: Fold) -> int:
    """Beats per pixel of a unit without window."""
    if isinstance(unit.layer, Concat):
        inputs = zip(unit.sources, beats_in(unit, fold), strict=True)
        return 1 if fold.pe == unit.output.shape.c else sum(t.shape.c // beat for t, beat in inputs)
    if isinstance(unit.layer, ArgMax):
        return unit.sources[0].shape.c // fold.simd
    return unit.output.shape.c // fold.pe


def depth(unit: Unit, fold: Fold) -> int:
    """Register stages between the cycle of a unit's last step and that of its beat: those of hw/rtl/lib, checked with
    Verilator.

    HLS chooses its own number of stages; for an HLS project this is an assumption.
    """
    latency = stage(unit, fold).latency
    if isinstance(unit.layer, MaxPool):
        return 3 if fold.form != FOLDED else 2 + fold.fetch
    if not isinstance(unit.layer, Mac):
        return max(1, latency)
    return sum_registers(unit, fold) + latency


def sum_registers(unit: Unit, fold: Fold) -> int:
    """Register stages from a step to the finished sums: operands, tree, accumulator."""
    assert isinstance(unit.layer, Mac)
    if unit.is_unrolled(fold):
        return 1 + graph_stages(unit.layer, fold.levels)  # window, adders
    lane = lane_registers(fold.simd, digits_of(unit.layer).shape[-1])
    return 2 + (fold.form != FOLDED) + fold.fetch + lane


def graph_stages(mac: Mac, levels: int) -> int:
    """Register stages of a layer's adder graph with `levels` of adders between two, whatever the adders' operands."""
    return -(-sum_levels(mac) // levels)


def lane_products(simd: int, digits: int) -> int:
    """Products that a folded lane (crq_pe) sums: an integer weight has one per pair of signed digits."""
    return simd * ((digits + 1) // 2)


def lane_registers(simd: int, digits: int) -> int:
    """Register stages of a folded lane in front of its accumulator, which adds the last two terms itself: after every
    second level of adders of two. The form for Xilinx has fewer levels and the same stages."""
    return (lane_products(simd, digits) - 1).bit_length() // 2


def schedule(unit: Unit, fold: Fold, arrivals: Sequence[Times], paces: Sequence[int] | None = None) -> Beats:
    """The cycles of whole images, for input beats that can be taken from the cycles `arrivals` on, per input, and a
    ready consumer. `paces`: per input, the cycles from taking a beat to the next at least, 1 unless given."""
    paces = paces or [1] * len(arrivals)
    if unit.is_wires:
        taken = spaced(arrivals[0], paces[0])
        return Beats((taken,), taken)
    if isinstance(unit.layer, Concat):
        return _concat(unit, fold, arrivals, paces)
    if isinstance(unit.layer, Enlarge):
        return _enlarge(unit, fold, unit.layer, arrivals[0], paces[0])
    if not unit.is_windowed:
        return _stream(unit, fold, arrivals, max(paces))
    return (_folded if fold.form == FOLDED else _parallel)(unit, fold, arrivals[0], paces[0])


def spaced(ready: Times, pace: int = 1) -> Times:
    """The earliest cycles, one after the other with `pace` between, of things that are `ready` then."""
    places = np.arange(len(ready)) * pace
    return np.maximum.accumulate(ready - places) + places


def _stream(unit: Unit, fold: Fold, arrivals: Sequence[Times], pace: int) -> Beats:
    taken = spaced(np.max(arrivals, axis=0), pace)
    given = taken + depth(unit, fold)
    if isinstance(unit.layer, GlobalSum):
        blocks, pixels = unit.output.shape.c // fold.pe, unit.sources[0].shape.pixels
        given = given.reshape(-1, pixels, blocks)[:, -1].ravel()
    if isinstance(unit.layer, ArgMax):
        given = given[_steps(unit, fold) - 1 :: _steps(unit, fold)]
    return Beats((taken,) * len(arrivals), given)


def _concat(unit: Unit, fold: Fold, arrivals: Sequence[Times], paces: Sequence[int]) -> Beats:
    if fold.pe == unit.output.shape.c:
        taken = spaced(np.max(arrivals, axis=0), max(paces))
        return Beats((taken,) * len(arrivals), taken)
    counts = [t.shape.c // fold.pe for t in unit.sources]
    ends = np.cumsum(counts)
    pixels = [a.reshape(-1, n) for a, n in zip(arrivals, counts, strict=True)]
    ready = np.concatenate(pixels, axis=1).ravel()
    taken = (spaced(ready) if max(paces) == 1 else _in_turn(ready, counts, paces)).reshape(-1, ends[-1])
    parts = np.split(taken, ends[:-1], axis=1)
    return Beats(tuple(part.ravel() for part in parts), taken.ravel())


def _in_turn(ready: Times, counts: Sequence[int], paces: Sequence[int]) -> Times:
    """One after the other, `counts` of each input in turn, with the pace of each between its own."""
    turns = [i for i, n in enumerate(counts) for _ in range(n)]
    own, taken = [-pace for pace in paces], []
    now = -1
    for place, at in enumerate(ready.tolist()):
        i = turns[place % len(turns)]
        now = max(at, now + 1, own[i] + paces[i])
        own[i] = now
        taken.append(now)
    return np.array(taken, np.int64)


def _parallel(unit: Unit, fold: Fold, arrivals: Times, pace: int) -> Beats:
    slide, steps = window(unit), unit.reuse_factor(fold)
    rows, columns = slide.padded
    real = np.zeros((rows, columns), bool)
    real[slide.pads.top : rows - slide.pads.bottom, slide.pads.left : columns - slide.pads.right] = True
    completes = np.zeros((rows, columns), bool)
    completes[slide.span[0] - 1 :: slide.stride[0], slide.span[1] - 1 :: slide.stride[1]] = True
    images = len(arrivals) // int(real.sum())
    takes, gives = np.tile(real.ravel(), images), np.tile(completes.ravel(), images)
    start = _starts(takes, np.where(gives, steps, 1), arrivals, pace)
    blocks = unit.output.shape.c // fold.pe
    ends = (np.arange(blocks) + 1) * (steps // blocks) - 1
    return Beats((start[takes],), (start[gives][:, None] + ends).ravel() + depth(unit, fold))


def _starts(takes: NDArray[np.bool_], cost: Times, arrivals: Times, pace: int) -> Times:
    """When each step of a walk begins that takes so many cycles, and a beat where it `takes` one."""
    # What needs no input, as padding, is passed before an image arrives, at the earliest after reset, one cycle before
    # the first beat.
    ready = np.full(len(takes), -1)
    ready[takes] = arrivals
    # start[i] = max(ready[i], start[i-1] + cost[i-1]), solved in closed form by a running maximum.
    elapsed = np.concatenate([[0], np.cumsum(cost)[:-1]])
    wait = np.zeros(len(takes), np.int64)
    wait[np.flatnonzero(takes)[1:]] = np.maximum(0, pace - np.diff(elapsed[takes]))
    elapsed += np.cumsum(wait)
    start: Times = np.maximum.accumulate(ready - elapsed) + elapsed
    return start


def _enlarge(unit: Unit, fold: Fold, layer: Enlarge, arrivals: Times, pace: int) -> Beats:
    """A beat of the result per cycle; those of the first row and column of each block take one."""
    shape, blocks = unit.sources[0].shape, unit.output.shape.c // fold.pe
    takes = np.zeros((len(arrivals) // (shape.w * blocks), layer.factor[0], shape.w, layer.factor[1], blocks), bool)
    takes[:, 0, :, 0] = True
    start = _starts(takes.ravel(), np.ones(takes.size, np.int64), arrivals, pace)
    return Beats((start[takes.ravel()],), start + depth(unit, fold))


def _folded(unit: Unit, fold: Fold, arrivals: Times, pace: int) -> Beats:
    found = ring(unit, fold)
    slide, words = found.slide, found.row_words
    kept, rows = kept_beats(unit, found), slide.image.h
    images = len(arrivals) // len(kept)
    arrivals, places = spaced(arrivals, pace), np.arange(words) * pace
    own = arrivals.reshape(images, -1)[:, kept].reshape(-1, words) - places
    walk = Walk(found, (own.max(1) + places[-1]).tolist(), pace)
    for image in range(images):
        for oy in range(slide.output.h):
            walk.fill_until(image, oy)
            walk.read(oy, slide.output.w * found.steps)
    opened = np.array(walk.opened)[: images * rows, None]
    stored = np.maximum(np.maximum.accumulate(own, axis=1), opened) + places
    ready = arrivals.reshape(images, -1).copy()  # beats that the memory does not keep are taken as they come
    ready[:, kept] = stored.reshape(images, -1)
    blocks = slide.output.w * found.groups * found.blocks
    ends = (np.arange(blocks) + 1) * found.block_steps - 1
    given = np.array(walk.starts)[:, None] + ends + depth(unit, fold)
    return Beats((spaced(ready.ravel(), pace),), given.ravel())


def kept_beats(unit: Unit, found: Ring) -> NDArray[np.bool_]:
    """Which beats of an image enter the memory."""
    shape = unit.sources[0].shape
    kept = np.ones((shape.h, shape.w), bool)
    if found.decimated:
        kept[:] = False
        kept[:: found.decimated.stride[0], :: found.decimated.stride[1]] = True
    return np.repeat(kept.ravel(), found.words)

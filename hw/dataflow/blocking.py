"""The folded form as one counted loop, as HLS wants it: reads block, and stand at fixed iterations.

Before output row 0 the words that it needs first enter the memory, one per iteration. During an output row those that
come next enter, evenly spread and as late as their first reads allow: the sooner the last one has entered, the longer
the next image waits in a FIFO. What no output row needs is read at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.rings import Ring, ring
from crq.hw.dataflow.schedule import Beats, Cycles, Times, cycles, depth, kept_beats, schedule, spaced
from crq.hw.dataflow.units import FOLDED, Fold, Unit

# Iterations between the write of a word and its first read, at least. The write of an iteration may be as many stages
# behind its read in the tool's pipeline, without a dependency that would lower the rate.
APART = 8


@dataclass(frozen=True)
class Loop:
    """The iterations of one image: `first` words and `APART` idle ones, then `row_cycles` per output row, then `tail`.

    During an output row a word enters in every `period`-th iteration. When it begins, all rows that it needs are there
    but for their last `late` words; if `late` is negative, so many words beyond.
    """

    ring: Ring
    late: int = 0

    @cached_property
    def entered(self) -> NDArray[np.int64]:
        """Words of the image that have entered when each output row begins; the last entry is for the end."""
        s, words = self.ring.slide, self.ring.row_words
        rows = np.arange(s.output.h + 1) * s.stride[0] - s.pads.top + s.span[0]
        needed = int(np.clip(rows[-2], 0, s.image.h)) * words
        return np.clip(rows * words - self.late, 0, needed)

    @property
    def first(self) -> int:
        return int(self.entered[0])

    @property
    def tail(self) -> int:
        """Words of rows that no output row needs."""
        return self.ring.slide.image.h * self.ring.row_words - int(self.entered[-1])

    @property
    def fresh(self) -> int:
        """Words that one output row needs and the one before does not; 0 if there is one row only."""
        s = self.ring.slide
        return s.stride[0] * self.ring.row_words if s.output.h > 1 else 0

    @property
    def row_steps(self) -> int:
        """Iterations of an output row that compute."""
        return self.ring.slide.output.w * self.ring.steps

    @property
    def row_cycles(self) -> int:
        return max(self.row_steps, self.fresh)

    @property
    def period(self) -> int:
        return self.row_cycles // self.fresh if self.fresh else 1

    @property
    def trips(self) -> int:
        return self.first + APART + self.ring.slide.output.h * self.row_cycles + self.tail

    @property
    def rows(self) -> int:
        """Rows of the memory: those that an output row reads and those that enter beside it; with kernels of one row,
        one more, so that no word is written right after its last read."""
        s = self.ring.slide
        live = max(-(-int(self.entered[y + 1]) // self.ring.row_words) - self.ring.base(y) for y in range(s.output.h))
        return max(self.ring.rows, 1 << clog2(live + (s.kernel[0] == 1 and s.output.h > 1)))

    def latest(self) -> int:
        """The most words by which rows may be `late`, so that each enters `APART` iterations before its first read."""
        found, s = self.ring, self.ring.slide
        if not self.fresh:
            return 0
        taps = np.arange(s.output.w)[:, None] * s.stride[1] + np.arange(s.kernel[1]) * s.dilation[1] - s.pads.left
        reads = np.arange(s.output.w)[:, None] * found.steps + np.arange(s.kernel[1]) * found.group_words
        inside = (taps >= 0) & (taps < s.image.w)
        earliest = np.full(s.image.w, found.steps * s.output.w)
        np.minimum.at(earliest, taps[inside], reads[inside])
        group = np.arange(found.groups)[:, None] * found.blocks * found.block_steps
        read = earliest[:, None] + (group + np.arange(found.group_words)).ravel()  # of each word of a row
        ky = np.maximum(0, -(-(s.span[0] - s.stride[0] + np.arange(s.stride[0])) // s.dilation[0]))
        first = (read.ravel() + ky[:, None] * s.kernel[1] * found.group_words).ravel()  # of each fresh word
        # How many words enter, from the start of the row before, up to the last iteration that is early enough.
        rows, within = np.divmod(first + self.row_cycles - APART, self.row_cycles)
        enter = rows * self.fresh + np.minimum((within + 1) // self.period, self.fresh)
        return min(int((enter - 1 - np.arange(self.fresh)).min()), self.fresh)

    def reads(self) -> NDArray[np.int64]:
        """The iteration in which each word of an image is read."""
        words = np.diff(self.entered)
        start = self.first + APART + np.arange(len(words)) * self.row_cycles
        place = np.arange(words.sum()) - np.repeat(np.cumsum(words) - words, words)
        inner = np.repeat(start, words) + (place + 1) * self.period - 1
        return np.concatenate([np.arange(self.first), inner, self.trips - self.tail + np.arange(self.tail)])

    def writes(self) -> NDArray[np.int64]:
        """The iteration that ends each block of sums of an image."""
        found, s = self.ring, self.ring.slide
        blocks = s.output.w * found.groups * found.blocks
        ends = (np.arange(blocks) + 1) * found.block_steps - 1
        start = self.first + APART + np.arange(s.output.h) * self.row_cycles
        return (start[:, None] + ends).ravel()


@lru_cache(maxsize=65536)
def loop(unit: Unit, fold: Fold) -> Loop:
    """The loop of a folded `unit`."""
    found = ring(unit, fold)
    return Loop(found, Loop(found).latest())


def blocking_cycles(unit: Unit, fold: Fold) -> Cycles:
    """`schedule.cycles` of the counted loops."""
    model = cycles(unit, fold)
    if fold.form != FOLDED or not unit.is_windowed:
        return model
    taken = unit.sources[0].shape.pixels * ring(unit, fold).words  # those that are dropped too
    return model._replace(interval=max(loop(unit, fold).trips, taken))


def blocking_schedule(unit: Unit, fold: Fold, arrivals: Sequence[Times], paces: Sequence[int] = (1,)) -> Beats:
    """`schedule.schedule` of the counted loops."""
    if fold.form != FOLDED or not unit.is_windowed:
        return schedule(unit, fold, arrivals, paces)
    counted, kept = loop(unit, fold), kept_beats(unit, ring(unit, fold))
    per_image = prod((unit.sources[0].shape.pixels, counted.ring.words))
    images = len(arrivals[0]) // per_image
    come = spaced(arrivals[0], paces[0])
    own = come.reshape(images, -1)[:, kept].ravel()
    begin = np.arange(images)[:, None] * counted.trips
    reads, writes = (begin + counted.reads()).ravel(), (begin + counted.writes()).ravel()
    # An iteration that waits holds all that follow; words that are joined are `pace` apart, whatever the loop wants.
    late = np.maximum(np.maximum.accumulate(own - reads), 0)
    while (apart := np.maximum.accumulate(spaced(late + reads, paces[0]) - reads)).tolist() != late.tolist():
        late = apart
    taken = come.reshape(images, -1).copy()
    taken[:, kept] = (late + reads).reshape(images, -1)
    before = np.searchsorted(reads, writes, "right") - 1
    given = np.where(before >= 0, late[np.maximum(before, 0)], 0) + writes + depth(unit, fold)
    return Beats((spaced(taken.ravel()),), given)

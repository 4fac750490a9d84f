"""The folded form as one counted loop, as HLS wants it: reads block, and stand at fixed iterations.

Before output row 0 the rows that it needs enter the memory, one word per iteration. During output row y those enter
that row y + `ahead` needs, evenly spread. What no output row needs is read at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from hw.dataflow.bits import clog2
from hw.dataflow.rings import Ring, ring
from hw.dataflow.schedule import Beats, Cycles, Times, cycles, depth, kept_beats, schedule, spaced
from hw.dataflow.units import FOLDED, Fold, Unit

# Iterations between the write of a word and its first read, at least. The write of an iteration may be as many stages
# behind its read in the tool's pipeline, without a dependency that would lower the rate.
APART = 8


@dataclass(frozen=True)
class Loop:
    """The iterations of one image: `first` words and `APART` idle ones, then `row_cycles` per output row, then `tail`.

    During an output row a word enters in every `period`-th iteration, until the rows that `ahead` rows later are needed
    are there.
    """

    ring: Ring
    ahead: int

    @cached_property
    def until(self) -> NDArray[np.int64]:
        """Rows of the image that have entered when each output row begins; the last entry is for the end."""
        s = self.ring.slide
        needed = np.arange(s.output.h) * s.stride[0] - s.pads.top + s.span[0]
        rows = np.clip(needed, 0, s.image.h)
        return np.concatenate([rows[self.ahead - 1 :], np.repeat(rows[-1:], self.ahead)])

    @property
    def first(self) -> int:
        return int(self.until[0]) * self.ring.row_words

    @property
    def tail(self) -> int:
        """Words of rows that no output row needs."""
        return (self.ring.slide.image.h - int(self.until[-1])) * self.ring.row_words

    @property
    def most(self) -> int:
        """Words that enter during one output row, at most."""
        return int(np.diff(self.until).max()) * self.ring.row_words

    @property
    def row_steps(self) -> int:
        """Iterations of an output row that compute."""
        return self.ring.slide.output.w * self.ring.steps

    @property
    def row_cycles(self) -> int:
        return max(self.row_steps, self.most)

    @property
    def period(self) -> int:
        return self.row_cycles // self.most if self.most else 1

    @property
    def trips(self) -> int:
        return self.first + APART + self.ring.slide.output.h * self.row_cycles + self.tail

    @property
    def rows(self) -> int:
        """Rows of the memory: those that an output row reads and those that enter beside it; with kernels of one row,
        one more, so that no word is written right after its last read."""
        s = self.ring.slide
        live = max(int(self.until[y + 1]) - self.ring.base(y) for y in range(s.output.h))
        return max(self.ring.rows, 1 << clog2(live + (s.kernel[0] == 1 and s.output.h > 1)))

    @property
    def distance(self) -> int:
        """Iterations from the write of a word during an output row to its first read, at least."""
        found, s = self.ring, self.ring.slide
        if not self.most:
            return APART
        taps = np.arange(s.output.w)[:, None] * s.stride[1] + np.arange(s.kernel[1]) * s.dilation[1] - s.pads.left
        reads = np.arange(s.output.w)[:, None] * found.steps + np.arange(s.kernel[1]) * found.group_words
        inside = (taps >= 0) & (taps < s.image.w)
        earliest = np.full(s.image.w, found.steps * s.output.w)
        np.minimum.at(earliest, taps[inside], reads[inside])
        group = np.arange(found.groups)[:, None] * found.blocks * found.block_steps
        read = earliest[:, None] + (group + np.arange(found.group_words)).ravel()  # of each word of a row
        rows = self.most // found.row_words
        ends = (np.arange(rows * found.row_words).reshape(rows, -1) + 1) * self.period - 1
        ky = np.maximum(0, -(-(s.span[0] - s.stride[0] + np.arange(rows)) // s.dilation[0]))
        first = read.ravel() + ky[:, None] * s.kernel[1] * found.group_words
        return int((first - ends).min()) + self.ahead * self.row_cycles

    def reads(self) -> NDArray[np.int64]:
        """The iteration in which each word of an image is read."""
        words = np.diff(self.until) * self.ring.row_words
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
    """The loop of a folded `unit`: as few rows ahead as keep writes and reads `APART`."""
    found = ring(unit, fold)
    ahead = 1
    while ahead < found.slide.output.h and Loop(found, ahead).distance < APART:
        ahead += 1
    return Loop(found, ahead)


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

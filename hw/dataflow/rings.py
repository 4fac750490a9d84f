"""The memory of a folded window: some rows of the image in a ring, written as beats come, read by counters.

A word holds one beat: SIMD channels of a pixel. The reader visits, slowest first, output rows and columns, groups of
channels, blocks of output channels, kernel rows and columns, and the words of a group: one word per cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.memory import in_bram
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.dataflow.windows import Window, window
from crq.hw.ir.layers import Shape

RESET = -2  # the cycle before the first after reset, which is one before that of the first beat
PERIODS = 8  # images after which the interval of a ring repeats


@dataclass(frozen=True)
class Ring:
    """`slide` as the memory sees it, `words` of a pixel, `groups` of words that are read apart, `blocks` of output
    channels per group. `decimated`: the window of the layer where only pixels that it reads enter the memory.
    """

    slide: Window
    words: int
    groups: int
    blocks: int
    decimated: Window | None = None

    @property
    def group_words(self) -> int:
        return self.words // self.groups

    @property
    def block_steps(self) -> int:
        """Cycles in which one block of PE sums is made: a word per tap and chunk."""
        return self.slide.kernel[0] * self.slide.kernel[1] * self.group_words

    @property
    def steps(self) -> int:
        """Cycles per output pixel."""
        return self.groups * self.blocks * self.block_steps

    @property
    def row_words(self) -> int:
        return self.slide.image.w * self.words

    @property
    def row_bits(self) -> int:
        """Bits of the address of one row; of the row itself, log2 of the ring's rows."""
        return clog2(self.row_words)

    @cached_property
    def rows(self) -> int:
        """Rows of the ring: while an output row reads those it needs, those that the next one frees fill again."""
        fresh = max(self.drop(oy) for oy in (0, 1, self.slide.output.h - 1) if oy < self.slide.output.h)
        needed = max(self.need(oy) for oy in self.special)
        spare = min(self.slide.stride[0], fresh)
        return 1 << clog2(max(needed + spare, 2))

    def gap(self, row: int) -> int:
        """Beats that are dropped between the row before and this one; rows are counted from the first image on."""
        if self.decimated is None or not row:
            return 0
        image, out, (sy, sx) = self.decimated.image, self.decimated.output, self.decimated.stride
        pixel = row % out.pixels
        if pixel % out.w:
            return (sx - 1) * self.words
        rest = image.w - 1 - (out.w - 1) * sx
        between = sy - 1 if pixel else image.h - 1 - (out.h - 1) * sy
        return (rest + between * image.w) * self.words

    @property
    def depth(self) -> int:
        """Words of the memory; a row starts at a power of two."""
        return self.rows << self.row_bits

    @cached_property
    def special(self) -> list[int]:
        """Output rows that may need or free another number of rows than those in the middle, and one of these."""
        s, last = self.slide, self.slide.output.h - 1
        top = -(-s.pads.top // s.stride[0])
        bottom = -(-max(0, s.pads.bottom) // s.stride[0]) + 1
        rows = {*range(min(top + 1, last + 1)), *range(max(0, last - bottom), last + 1)}
        return sorted(rows)

    def base(self, oy: int) -> int:
        """The first image row that output row `oy` reads; those above were freed. All of them under padding alone."""
        return min(max(0, oy * self.slide.stride[0] - self.slide.pads.top), self.slide.image.h)

    def need(self, oy: int) -> int:
        """Rows that output row `oy` waits for, from its base; the last one for all that are left."""
        s = self.slide
        if oy == s.output.h - 1:
            return s.image.h - self.base(oy)
        return max(0, min(s.image.h, oy * s.stride[0] - s.pads.top + s.span[0]) - self.base(oy))

    def drop(self, oy: int) -> int:
        """Rows that are free once output row `oy` is done."""
        after = self.slide.image.h if oy == self.slide.output.h - 1 else self.base(oy + 1)
        return after - self.base(oy)


@lru_cache(maxsize=65536)
def ring(unit: Unit, fold: Fold) -> Ring:
    """The ring of a folded `unit`."""
    slide, decimated = _standing(window(unit))
    channels = slide.image.c
    if unit.is_lanewise:
        words = channels // fold.pe
        return Ring(slide, words, words, 1, decimated)
    words, groups = channels // fold.simd, slide.groups
    return Ring(slide, words, groups, unit.output.shape.c // groups // fold.pe, decimated)


def _standing(slide: Window) -> tuple[Window, Window | None]:
    """A signal as an image one pixel wide, whose rows are freed one by one; pixels alone where the kernel is one."""
    pixels = slide.output.pixels
    if slide.kernel == (1, 1) and not any(slide.pads):
        tall = Window(Shape(slide.image.c, pixels, 1), Shape(slide.output.c, pixels, 1), (1, 1), groups=slide.groups)
        return tall, slide if slide.stride != (1, 1) else None
    if slide.image.h == 1 and slide.kernel[0] == 1 and pixels > 1 and not (slide.pads.top or slide.pads.bottom):
        return slide.turned(), None
    return slide, None


def word_bits(unit: Unit, fold: Fold) -> int:
    """Bits of a word of the memory: a beat."""
    return unit.inputs[0].format.bits * (fold.pe if unit.is_lanewise else fold.simd)


def in_block(unit: Unit, fold: Fold) -> bool:
    """Whether the memory of a folded unit lies in block RAM."""
    return in_bram(ring(unit, fold).depth * word_bits(unit, fold))


@lru_cache(maxsize=65536)
def interval(found: Ring, pace: int = 1) -> int:
    """Cycles from one image to the next for a source that is never late and gives a beat every `pace` cycles."""
    s = found.slide
    read, write = s.output.w * found.steps, found.row_words * pace
    alone = s.kernel[0] == s.stride[0] == 1 and not (s.pads.top or s.pads.bottom)  # one row is read, then freed
    if alone and found.rows == 2 and found.decimated is None:
        return s.output.h * max(read, write)
    if found.decimated is None and _keeps_up(found, read, pace):
        return s.output.h * read
    ends: list[int] = []
    walk = Walk(found, pace=pace)
    for image in range(PERIODS):
        for oy in range(s.output.h):
            walk.fill_until(image, oy)
            walk.read(oy, read)
        ends.append(walk.end)
        if image > 2 and ends[-1] - ends[-2] == ends[-2] - ends[-3]:
            break
    return ends[-1] - ends[-2]


def _keeps_up(found: Ring, read: int, pace: int) -> bool:
    """Whether the rows that an output row waits for always fit in beside those of the one before, and in its time."""
    rows = found.special
    for oy, following in zip(rows, [*rows[1:], rows[0]], strict=True):
        if following == oy + 1:
            fresh = found.base(following) + found.need(following) - found.base(oy) - found.need(oy)
        elif following <= oy:  # of the next image
            fresh = found.need(following)
        else:
            fresh = found.slide.stride[0]
        if fresh * found.row_words * pace > read or found.need(oy) + fresh > found.rows:
            return False
    return True


class Walk:
    """The ring in time: when rows are full, when output rows end. `ready[r]`: the first cycle in which row r could be
    full, for all it waits for outside; 0 where nothing is late. `pace`: cycles from one beat to the next, at least."""

    def __init__(self, found: Ring, ready: list[int] | None = None, pace: int = 1) -> None:
        self.ring, self.ready, self.pace = found, ready, pace
        self.opened: list[int] = []  # cycle in which the first word of a row can be written at the earliest
        self.full: list[int] = []  # cycle in which its last word is written
        self.freed: list[int] = []  # cycle that ends the output row after which a row is free
        self.end = RESET
        self.starts: list[int] = []

    def fill_until(self, image: int, oy: int) -> None:
        """Rows that output row `oy` of `image` needs."""
        found = self.ring
        last = image * found.slide.image.h + found.base(oy) + found.need(oy)
        while len(self.full) < last:
            row = len(self.full)
            open_ = self.full[-1] + (1 + found.gap(row)) * self.pace if self.full else 0
            if row >= found.rows:
                open_ = max(open_, self.freed[row - found.rows] + 1)
            done = open_ + (found.row_words - 1) * self.pace
            if self.ready is not None:
                done = max(done, self.ready[row])
            self.opened.append(open_)
            self.full.append(done)
        self.needed = self.full[last - 1] if last else RESET

    def read(self, oy: int, cycles: int) -> None:
        start = max(self.end, self.needed) + 1
        self.starts.append(start)
        self.end = start + cycles - 1
        self.freed += [self.end] * self.ring.drop(oy)

"""The price of a folded unit's window: crq_ring, its memory, and crq_decimate in front of it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from crq.hw.cost.constants import weighted
from crq.hw.cost.primitives import bram18, lutram_banks
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.rings import in_block, ring, word_bits
from crq.hw.dataflow.units import Fold, Unit


class RingShape(NamedTuple):
    """The parameters of crq_ring, in small letters."""

    bits: int
    words: int
    groups: int
    blocks: int
    height: int
    width: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int
    out_h: int
    out_w: int
    rb: int
    block: int

    @property
    def group_words(self) -> int:
        return self.words // self.groups

    @property
    def row_bits(self) -> int:
        """Bits of the address in a row; none where a row is one word, though the memory has one then."""
        return clog2(self.width * self.words)

    @property
    def depth(self) -> int:
        return 1 << (self.rb + max(1, self.row_bits))

    @property
    def joined(self) -> bool:
        """Whether the words of neighbouring taps lie side by side, so that one counter runs through both."""
        return self.groups == 1 and self.dilation_w == 1

    @property
    def counters(self) -> tuple[int, ...]:
        """What the counters of the reader count to: words, taps, kernel rows, blocks, groups, output columns."""
        run = self.kernel_w * self.group_words if self.joined else self.group_words
        taps = 1 if self.joined else self.kernel_w
        return run, taps, self.kernel_h, self.blocks, self.groups, self.out_w

    @property
    def steps(self) -> int:
        return self.blocks * self.kernel_h * self.kernel_w * self.words

    def need(self, y: int) -> int:
        end = y * self.stride_h - self.pad_top + (self.kernel_h - 1) * self.dilation_h + 1
        return (self.height if y == self.out_h - 1 or end > self.height else end) - self.base(y)

    def drop(self, y: int) -> int:
        return (self.height if y == self.out_h - 1 else self.base(y + 1)) - self.base(y)

    def base(self, y: int) -> int:
        return max(0, y * self.stride_h - self.pad_top)

    @property
    def edges(self) -> tuple[int, int, int, int]:
        """Output rows and columns that read padding: above, below, left, right."""
        over_h = self.base_of_end(self.out_h, self.stride_h, self.pad_top, self.kernel_h, self.dilation_h) - self.height
        over_w = self.base_of_end(self.out_w, self.stride_w, self.pad_left, self.kernel_w, self.dilation_w) - self.width
        return (
            -(-self.pad_top // self.stride_h), -(-max(0, over_h) // self.stride_h),
            -(-self.pad_left // self.stride_w), -(-max(0, over_w) // self.stride_w),
        )  # fmt: skip

    @staticmethod
    def base_of_end(out: int, stride: int, pad: int, kernel: int, dilation: int) -> int:
        return (out - 1) * stride - pad + (kernel - 1) * dilation + 1

    @property
    def special(self) -> int:
        """Output rows that need or free another number of rows than those in the middle."""
        top, bottom = self.edges[0], self.edges[1]
        middle = top + 1 if top + 1 < self.out_h - bottom - 1 else self.out_h - 1
        rows = {*range(min(top + 1, self.out_h)), *range(max(0, self.out_h - bottom - 2), self.out_h)}
        usual = self.need(middle), self.drop(middle)
        return sum((self.need(y) != usual[0]) + (self.drop(y) != usual[1]) for y in rows)

    @property
    def row_counted(self) -> bool:
        """Whether it matters which output row is read: where all are alike synthesis drops their counter."""
        jump = self.height - (self.out_h - 1) * self.stride_h
        return bool(self.special or self.edges[0] or self.edges[1] or (jump - self.stride_h) % (1 << self.rb))


def ring_shape(unit: Unit, fold: Fold) -> RingShape:
    """The parameters that crq.hw.rtl.window gives the ring of `unit`."""
    found = ring(unit, fold)
    s = found.slide
    return RingShape(
        word_bits(unit, fold), found.words, found.groups, found.blocks, s.image.h, s.image.w, *s.kernel, *s.stride,
        *s.dilation, s.pads.top, s.pads.left, s.output.h, s.output.w, clog2(found.rows), int(in_block(unit, fold)),
    )  # fmt: skip


@lru_cache(maxsize=65536)
def ring_parts(unit: Unit, fold: Fold, family: str = "xcup") -> dict[str, Resources]:
    """The ring of a folded unit, and what leaves out the pixels that it never reads."""
    parts, left_out = {"ring": ring_price(ring_shape(unit, fold), family)}, ring(unit, fold).decimated
    if left_out:
        shape, words = left_out.image, ring(unit, fold).words
        counters = (words, shape.w, shape.h, *left_out.stride)
        parts["decimate"] = Resources(
            logic=weighted("decimate", decimate_features(counters), family), ff=sum(map(clog2, counters))
        )
    return parts


def decimate_features(counters: tuple[int, ...]) -> tuple[float, ...]:
    """What the LUTs of crq_decimate grow with: how many of its counters end before a power of two."""
    return 1, sum(n & (n - 1) > 0 for n in counters)


def ring_features(s: RingShape) -> tuple[float, ...]:
    """What the LUTs of a ring's control grow with."""
    counted = [clog2(n) for n in (*s.counters, s.out_h if s.row_counted else 1)]
    odd = sum(n > 1 and n & (n - 1) > 0 for n in (*s.counters, s.width * s.words))
    top, bottom, left, right = s.edges
    return (
        1, sum(counted), odd, s.row_bits, s.rb if s.kernel_h > 1 or s.stride_h > 1 else 0, clog2(s.steps),
        s.special, min(1, top) + min(1, bottom), min(1, left) + min(1, right), float(s.groups > 1),
        float(s.steps > 1 and s.steps & (s.steps - 1) > 0),
    )  # fmt: skip


def ring_price(s: RingShape, family: str) -> Resources:
    counted = sum(map(clog2, s.counters)) + (clog2(s.out_h) if s.row_counted else 0)
    ff = 2 * s.row_bits + 3 * s.rb + 1 + counted + clog2(s.steps) + 3
    if family == "ecp5":  # keeps registers that are constant
        ff += (s.kernel_h == 1) + (s.counters[0] == 1) + (not s.row_bits)
    logic = weighted("ring", ring_features(s), family)
    if s.block:
        return Resources(logic=logic, ff=ff, bram18=bram18(s.depth, s.bits, family))
    memory = lutram_banks(s.depth, s.bits, family)
    return memory.plus(Resources(logic=logic, ff=ff + s.bits))

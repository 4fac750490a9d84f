"""The price of what follows the sums of a unit: the codes of crq.hw.rtl.stages, and the register of the result."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from crq.hw.cost.constants import comparator, multiplexer, rom_luts, weighted
from crq.hw.cost.primitives import block_rom, distinct_columns
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import as_bits, clog2, signed_width
from crq.hw.dataflow.progressions import Rounding, ramp
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.ir.layers import IntArray


def output_register(bits: int, family: str = "xcup") -> Resources:
    """crq_output."""
    return Resources(logic=weighted("output", (1,), family), ff=bits + 1)


def rounded(found: Table | Ramp, plain: Rounding, lanes: int, family: str = "xcup") -> Resources:
    """crq_round."""
    lo, hi = int(found.lo.min()) + plain.offset, int(found.hi.max()) + plain.offset
    features = round_features(found.bits, found.signed, plain.shift, plain.offset, signed_width(lo, hi))
    return Resources(logic=lanes * weighted("round", features, family))


def round_features(bits: int, signed: bool, shift: int, offset: int, wide: int) -> tuple[float, ...]:
    """What one lane's LUTs grow with; `wide` are the bits of the sum with its offset, whose ones are inverters."""
    inverted = (offset & ((1 << wide) - 1)).bit_count()
    above = max(0, wide - shift - bits)
    return bits, min(above, 1), max(0, above - 1), shift > 0, shift > 5, signed, inverted


class Searchers:
    """A sequential stage: its searchers, each with `each` lanes, over a table of `blocks` blocks of channels."""

    def __init__(self, table: Table | Ramp, lanes: int, searchers: int, kind: str, family: str = "xcup") -> None:
        self.table, self.kind, self.family = table, kind, family
        self.each = -(-lanes // searchers)
        self.used = -(-lanes // self.each)
        self.blocks = table.channels // lanes
        self.lanes = lanes
        self.depth = self.blocks << clog2(self.each)
        self.ramp = ramp(table) if kind == "ramp" else None

    def price(self) -> Resources:
        control = weighted(f"codes_{self.kind}", self.features(), self.family)
        return Resources(logic=self.choice() + control, ff=self.registers()).plus(self.memories())

    def choice(self) -> float:
        """LUTs that hand a searcher its sum. An adder behind a wide multiplexer does not share its LUTs."""
        doubled = 2 if self.kind == "ramp" and 4 < self.each < 9 else 1
        each = multiplexer(self.each, self.family)
        if self.family == "ecp5":  # six inputs alone are mapped worse than seven
            each = min(each, multiplexer(self.each + 1, self.family))
        return self.used * self.table.width * each * doubled

    def registers(self) -> int:
        """All FFs but those that depend on the content of the memory. Searchers share the channel they search."""
        w, bits, index = self.table.width, self.table.bits, clog2(self.each) + clog2(self.blocks)
        taken = 2 + bits * (bits > 1) + index
        spare = self.each * self.used - self.lanes  # lanes of the last searcher that are constants
        held = self.used * ((self.each - 1) * w + self.each * bits + bits * (bits > 1)) - spare * w
        if self.ramp is None:
            return taken + held + index + self.used * (w - (self.kind == "bram"))
        return taken + held + self.used * (bits + 2 - 1)

    def features(self) -> tuple[float, ...]:
        """What the LUTs of the control and of the arithmetic grow with."""
        w, used, several = self.table.width, self.used, float(self.each > 1)
        if self.kind == "lut":
            return 1, several, used * comparator(w, self.family)
        if self.kind == "bram":
            return 1, several, used * comparator(w, self.family), used * (clog2(self.depth) + self.table.bits)
        assert self.ramp is not None
        over = self.ramp.sum_bits - self.ramp.progression.f
        deep = self.depth > 32  # a ROM of 32 words is part of the LUTs of the adder behind it
        return 1, several, used, used * over * deep

    @property
    def at_counter(self) -> bool:
        """Whether a ROM is read at one register alone: synthesis then registers its words instead."""
        return self.each == 1 and self.blocks > 4

    def memories(self) -> Resources:
        total = Resources()
        if self.kind == "bram":
            return block_rom(self.depth << self.table.bits, self.table.width, self.family).times(self.used)
        for s in range(self.used):
            channels = self._channels(s)
            if self.ramp is None:
                assert isinstance(self.table, Table)
                words = as_bits(self.table.rows[channels].reshape(-1, 1), self.table.width)
                columns, depth = distinct_columns(words).shape[1], self.depth << self.table.bits
                registered = columns if self.each == self.blocks == 1 else 0  # read at the node alone
                total = total.plus(Resources(logic=columns * rom_luts(depth, self.family), ff=registered))
            else:
                total = total.plus(self._ramp_memory(channels))
        return total

    def _ramp_memory(self, channels: IntArray) -> Resources:
        """{D, -b - 1} of each channel, and the subtractor and the remainder behind it; D is registered."""
        assert self.ramp is not None
        along = self.ramp.progression
        steps = distinct_columns(as_bits(along.D[channels][:, None], self.ramp.d_bits)).shape[1]
        words = np.concatenate([
            as_bits(along.D[channels][:, None], self.ramp.d_bits),
            as_bits(-along.b[channels][:, None] - (not along.ties), self.ramp.b_bits),
        ], axis=1)  # fmt: skip
        columns = distinct_columns(words).shape[1]
        return Resources(
            logic=columns * rom_luts(self.depth, self.family) + 2 * self.ramp.d_bits + self.table.bits,
            ff=self.ramp.d_bits + steps + columns * self.at_counter,
        )

    def _channels(self, searcher: int) -> IntArray:
        lane = np.minimum(searcher * self.each + np.arange(self.each), self.lanes - 1)
        return (np.arange(self.blocks)[:, None] * self.lanes + lane).ravel()


@lru_cache(maxsize=16384)
def searchers(found: Table | Ramp, lanes: int, count: int, kind: str, family: str = "xcup") -> Resources:
    """The module codes_* of crq.hw.rtl.sequential."""
    return Searchers(found, lanes, count, kind, family).price()

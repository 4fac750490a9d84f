"""Thresholds that are an arithmetic progression: two numbers per channel in place of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Progression:
    """Entry start[c] + k of channel c, k = 1 ..., is ((b[c] + k·D[c] - e) >> f) + 1; those before are always met.

    `b`, `D` >= 0, `start` >= 0 are int64 (C,), `count` all entries of a channel. e is 1 for even k where `ties`, else
    0: a sum exactly on b + k·D meets an even entry and no odd one, as rounding half to even has it (`start` is even
    then). The number of entries that are met is raised to `least` and lowered to `most`.
    """

    b: IntArray
    D: IntArray
    f: int
    count: int
    ties: bool = False
    least: int = 0
    most: int = -1
    start: IntArray | None = None

    @property
    def highest(self) -> int:
        """The most entries that any sum meets."""
        return self.count if self.most < 0 else self.most

    @property
    def starts(self) -> IntArray:
        return np.zeros_like(self.b) if self.start is None else self.start

    def entries(self, channel: int) -> IntArray:
        """The entries of a channel, (count,), ascending; those that `least` and `most` hold back as they would be, and
        those that are always met at the lowest int64."""
        start = int(self.starts[channel])
        k = np.arange(1, self.count - start + 1)
        whole, part = int(self.D[channel]) >> self.f, int(self.D[channel]) & ((1 << self.f) - 1)
        high, low = int(self.b[channel]) >> self.f, int(self.b[channel]) & ((1 << self.f) - 1)
        rest = low + k * part - ((k & 1) == 0) * self.ties
        return np.concatenate([np.full(start, np.iinfo(np.int64).min), (rest >> self.f) + high + k * whole + 1])

    def row(self, channel: int, lo: int, hi: int) -> IntArray:
        """The entries as sums in [lo, hi] meet them: at lo where always, at hi + 1 where never."""
        entries = np.clip(self.entries(channel), lo, hi + 1)
        entries[: self.least], entries[self.highest :] = lo, hi + 1
        return entries

    def met(self, x: IntArray) -> IntArray:
        """How many entries the sums x (C, …) meet, each of its own channel."""
        rest = (x << self.f) - _like(self.b, x) - (not self.ties)
        step = _like(self.D, x)
        found = np.where(step > 0, rest // np.maximum(step, 1), np.where(rest >= 0, self.count, 0))
        if self.ties:
            found = found - ((found & 1 == 1) & (rest == found * step))
        return np.clip(np.maximum(found, 0) + _like(self.starts, x), self.least, self.highest)

    def moved(self, offset: IntArray) -> Progression:
        """The same for sums that are lower by `offset` (C,)."""
        return replace(self, b=self.b - (offset << self.f))

    def with_front(self, front: int) -> Progression:
        """With `front` more entries before the first, which are always met, and as many more counted; below 0 fewer."""
        if not front:
            return self
        assert not (self.ties and front & 1), "the parity of an entry is that of its code"
        start = self.starts + front
        beyond: IntArray = np.minimum(start, 0)  # entries of the line that are no longer there
        return replace(
            self, b=self.b - beyond * self.D, start=start - beyond, count=self.count + front,
            least=max(0, self.least + front), most=self.highest + front,
        )  # fmt: skip


def _like(values: IntArray, x: IntArray) -> IntArray:
    return values.reshape(-1, *[1] * (x.ndim - 1))

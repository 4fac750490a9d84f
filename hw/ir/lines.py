"""The line through thresholds: which progression they are, found exactly and in a time linear in their number.

Threshold T of number k asks of a line at k that T - 1 <= line < T. Which slopes leave room for a line is an interval,
whose ends Newton's iteration finds: the room is a concave function of the slope, of whole numbers at every threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.progression import Progression

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """Threshold k is ((b + k·D - e) >> f) + 1 (crq.hw.ir.progression)."""

    b: int
    D: int
    f: int


def line(
    thresholds: IntArray, lo: int, hi: int, most_fraction: int, ties: bool = False, number: int = 1
) -> Line | None:  # fmt: skip
    """The line of one channel's thresholds (K,), ascending and within [lo, hi + 1], for sums in [lo, hi]; or None. The
    first has the given number; those of numbers below 1 are met whatever the line.

    The smallest f, then, without ties, the smallest D and the b nearest to 0. A threshold at lo is always met
    and one at hi + 1 never, wherever the line has it beyond.
    """
    always, reached = (int(np.searchsorted(thresholds, end, side="right")) for end in (lo, hi))
    first, last = max(1, always, 2 - number), min(len(thresholds), reached + 1)
    place = np.arange(first, last + 1)
    k = place + number - 1
    relaxed = ((k & 1) == 0).astype(np.int64) * ties
    points = _Points(k, thresholds[first - 1 : last] - lo, relaxed, place <= reached, place > always)
    slopes = points.slopes()
    if slopes is None:
        return None
    low, high = slopes
    for f in range(most_fraction + 1):
        least = max(int(ties), ceil(low * (1 << f)) if low is not None else 0)
        most = floor(high * (1 << f)) if high is not None else 2 * least + 1
        # At the ends of the interval there is no room but for ties; elsewhere there is, of a fraction long enough.
        for slope in sorted({least, least + 1, *([(least + most) // 2, most] if ties else [])}):
            if slope > most:
                break
            bounds = points.intercepts(slope, f)
            if bounds is not None:
                start, end = bounds[0] + (lo << f), bounds[1] + (lo << f)
                return Line(min(max(0, start), end), slope, f)
    return None


def joined(
    lines: Sequence[Line], count: int, ties: bool = False, start: Sequence[int] | None = None
) -> Progression:  # fmt: skip
    """The lines of all channels as one progression of `count` entries, brought to one f; `start` are always met."""
    f = max(found.f for found in lines)
    b, slope = (np.array([getattr(x, name) << (f - x.f) for x in lines], np.int64) for name in "bD")
    return Progression(b, slope, f, count, ties, start=None if start is None else np.array(start, np.int64))


@dataclass(frozen=True)
class _Points:
    """Number, threshold and whether its ties are met, of the thresholds that a line has to keep apart; `above`: the
    line lies below the threshold; `below`: and not below the integer before it."""

    k: IntArray
    t: IntArray
    relaxed: IntArray
    above: NDArray[np.bool_]
    below: NDArray[np.bool_]

    def slopes(self) -> tuple[Fraction | None, Fraction | None] | None:
        """The least and the greatest slope with room for a line, None where there is no bound; None if none has."""
        upper, lower = np.flatnonzero(self.above), np.flatnonzero(self.below)
        low: Fraction | None = None
        high: Fraction | None = None
        if not len(upper) or not len(lower):
            return low, high
        if upper[0] < lower[-1]:
            low = self._end(int(lower[-1]), int(upper[0]), -1)
            if low is None:
                return None
        if lower[0] < upper[-1]:
            high = self._end(int(lower[0]), int(upper[-1]), 1)
            if high is None:
                return None
        return low, high

    def _end(self, i: int, j: int, side: int) -> Fraction | None:
        """The least (-1) or greatest (+1) slope at which the room, of the bounds i from below and j from above at the
        start, is not negative."""
        while (int(self.k[j]) - int(self.k[i])) * side > 0:
            slope = Fraction(int(self.t[j] - self.t[i] + 1), int(self.k[j] - self.k[i]))
            heights = self.t * slope.denominator - self.k * slope.numerator
            before = i, j
            j = int(np.where(self.above, heights, np.iinfo(np.int64).max).argmin())
            i = int(np.where(self.below, heights, np.iinfo(np.int64).min).argmax())
            if heights[j] - (heights[i] - slope.denominator) >= 0 or (i, j) == before:
                return slope
        return None

    def intercepts(self, slope: int, f: int) -> tuple[int, int] | None:
        """The least and the greatest b for D = `slope`, of thresholds counted from 0; None if there is none."""
        whole, part = slope >> f, slope & ((1 << f) - 1)
        heights = ((self.t - self.k * whole) << f) - self.k * part + self.relaxed
        lowest = int(heights[self.below].max()) - (1 << f) if self.below.any() else None
        highest = int(heights[self.above].min()) - 1 if self.above.any() else None
        if lowest is None or highest is None:
            bound = lowest if highest is None else highest
            return (-(1 << 62), bound) if lowest is None and bound is not None else (bound or 0, 1 << 62)
        return (lowest, highest) if lowest <= highest else None

"""Quantizers of more codes than a table has room for: their thresholds as a progression, checked at every step.

Each step's threshold is the first integer at which the file's own chain gives the code; a line has to run between all
of them (crq.hw.ir.lines). A channel without one is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from crq.hw.ir.layers import IntArray, smallest_format
from crq.hw.ir.lines import Line, joined, line
from crq.hw.ir.progression import Progression
from crq.hw.read.chain import Chain, Quantizer, bisect

ROOM = 59
"""Bits of a sum and of the fraction of its line together: all arithmetic stays in 64."""


class Progressive(NamedTuple):
    """code = qmin + the entries that σ·acc meets; `ties`: channels where float32 evaluation gives other codes."""

    progression: Progression
    qmin: int
    ties: IntArray


def narrowed(chain: Chain, quantizer: Quantizer, lo: IntArray, hi: IntArray) -> Quantizer:
    """`quantizer` with those codes alone that integers of [lo, hi] (per channel) come to; of at least two."""
    codes = quantizer.apply(chain(np.stack([lo, hi], axis=1), np.float64))
    least = min(int(codes.min()), quantizer.qmax - 1)
    most = max(int(codes.max()), least + 1)
    return replace(quantizer, low=least + quantizer.zero, high=most + quantizer.zero)


def progressive(chain: Chain, quantizer: Quantizer, lo: IntArray, hi: IntArray) -> Progressive | int:
    """The thresholds of a chain and its quantizer on the integers of [lo, hi] (per channel); or a channel that has no
    progression."""
    signs = chain.signs
    low, high = np.where(signs > 0, lo, -hi), np.where(signs > 0, hi, -lo)
    width = smallest_format(min(int(low.min()), -1), int(high.max()) + 1).bits
    fmt = smallest_format(quantizer.qmin, quantizer.qmax)
    qmin = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    rows, ties = [], []
    for c in range(chain.channels):
        channel = np.array([c])
        own, rule = chain.at(channel), quantizer.at(channel)
        near = _near(own, rule)
        exact, single = (bisect(own, rule, low[channel], high[channel], d, near)[0] for d in (np.float64, np.float32))
        rows.append(exact)
        if not np.array_equal(exact, single):
            ties.append(c)
    found = _lines(rows, low, high, ROOM - width, quantizer.qmin + 1 - qmin)
    if isinstance(found, int):
        return found
    lines, half_even = found
    least, most = quantizer.qmin - qmin, quantizer.qmax - qmin
    result = replace(joined(lines, (1 << fmt.bits) - 1, half_even), least=least, most=most)
    for c, row in enumerate(rows):
        # Codes are step functions: equal for every integer of [lo, hi] where each step is at the same place.
        assert np.array_equal(result.row(c, int(low[c]), int(high[c]))[least:most], row)
    return Progressive(result, qmin, np.array(ties, np.int64))


def _lines(
    rows: Sequence[IntArray], lo: IntArray, hi: IntArray, most_fraction: int, number: int
) -> tuple[list[Line], bool] | int:  # fmt: skip
    """The lines of all channels, and whether ties meet even codes alone; or a channel without one."""
    missing = 0
    for ties in (False, True):
        lines = []
        for c, row in enumerate(rows):
            found = line(row, int(lo[c]), int(hi[c]), most_fraction, ties, number)
            if found is None:
                missing = c
                break
            lines.append(found)
        else:
            return lines, ties
    return missing


def _near(chain: Chain, quantizer: Quantizer) -> IntArray | None:
    """Where the thresholds lie by the chain's gain and offset, (1, K); None if it has none."""
    affine = chain.unclipped().affine()
    if affine is None or not affine[0].all():
        return None
    gain, offset = affine
    codes = np.arange(quantizer.qmin + 1, quantizer.qmax + 1)
    rounded = quantizer.round(np.array([0.25, 0.75]))  # FLOOR keeps both, CEIL raises both, ROUND one
    value = (codes - (rounded.sum() / 2)) * quantizer.scale.astype(np.float64).reshape(-1)[0]
    place = np.sign(gain) * (value - offset) / gain
    return np.clip(np.ceil(place), -(1 << 60), 1 << 60).astype(np.int64)[None]

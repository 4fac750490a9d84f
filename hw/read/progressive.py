"""Quantizers of more codes than a table has room for: their thresholds as a progression, checked at every step.

Each step's threshold is the first integer at which the file's own chain gives the code; a line has to run between all
of them (crq.hw.ir.lines). A channel without one is named.
"""

from __future__ import annotations

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
    fmt = smallest_format(quantizer.qmin, quantizer.qmax)
    qmin = -(1 << (fmt.bits - 1)) if fmt.signed else 0
    most_fraction = ROOM - smallest_format(min(int(low.min()), -1), int(high.max()) + 1).bits
    missing = 0
    for half_even in (False, True):  # whether ties meet even codes alone
        channels: list[_Channel] = []
        for c in range(chain.channels):
            of_channel = chain.at(np.array([c])), quantizer.at(np.array([c])), low[[c]], high[[c]]
            found = _channel(*of_channel, qmin, half_even, most_fraction)
            if found is None:
                missing = c
                break
            channels.append(found)
        else:
            lines, starts, same = zip(*channels, strict=True)
            along = joined(lines, (1 << fmt.bits) - 1, half_even, starts)
            along = replace(along, least=quantizer.qmin - qmin, most=quantizer.qmax - qmin)
            return Progressive(along, qmin, np.flatnonzero(~np.array(same)))
    return missing


class _Channel(NamedTuple):
    """Its line, the entries before it that are always met, and whether float32 evaluation gives the same thresholds."""

    line: Line
    start: int
    same: bool


def _channel(
    chain: Chain, quantizer: Quantizer, lo: IntArray, hi: IntArray, qmin: int, half_even: bool, most_fraction: int
) -> _Channel | None:  # fmt: skip
    near = _near(chain, quantizer)
    exact, single = (bisect(chain, quantizer, lo, hi, dtype, near)[0] for dtype in (np.float64, np.float32))
    low, high, number = int(lo[0]), int(hi[0]), quantizer.qmin + 1 - qmin
    start = int(np.searchsorted(exact, low, side="right")) + number - 1
    start -= start & half_even
    found = line(exact, low, high, most_fraction, half_even, number - start)
    if found is None:
        return None
    # Codes are step functions: equal for every integer of [lo, hi] where each step is at the same place.
    entries = joined([found], number + len(exact) - 1, half_even, [start]).row(0, low, high)
    assert np.array_equal(entries[number - 1 :], exact)
    return _Channel(found, start, np.array_equal(exact, single))


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

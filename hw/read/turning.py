"""Codes that rise and fall with their sum (Hardswish, SiLU, GELU) as the sum of two tables, one of them of -sum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crq.hw.ir.layers import IntArray
from crq.hw.read.chain import Chain, Rule

MAX_EVALUATED = 1 << 25
"""Most integers that a chain is evaluated on, of all channels together: some seconds."""


class Turning(NamedTuple):
    """code = (rise_least + #{acc >= rise[c]}) + (fall_least + #{-acc >= fall[c]}); tables int64 (C, K).

    `ties`: channels where float32 evaluation gives another code somewhere.
    """

    rise: IntArray
    rise_least: int
    fall: IntArray
    fall_least: int
    ties: IntArray


def turning(chain: Chain, quantizer: Rule, lo: IntArray, hi: IntArray) -> Turning | str:
    """The tables of a chain and its quantizer, by float64 evaluation on every integer of [lo, hi] (per channel).

    Or what rules them out, in words: two turns, or a value that is no number.
    """
    parts, ties = [], []
    for c in range(chain.channels):
        sums = np.arange(lo[c], hi[c] + 1)
        own = chain.at(np.array([c]))
        with np.errstate(all="ignore"):
            exact, single = own(sums[None], np.float64)[0], own(sums[None], np.float32)[0]
        if np.isnan(exact).any():
            return f"channel {c} has no value at the sum {sums[np.isnan(exact)][0]}"
        of_channel = quantizer.at(np.array([c]))
        codes = of_channel.apply(exact[None])[0]
        if (of_channel.apply(np.nan_to_num(single)[None])[0] != codes).any():
            ties.append(c)
        split = _split(codes)
        if split is None:
            return f"the codes of channel {c} turn more than once"
        parts.append(split)
    rise_least, fall_least = (min(int(p[i].min()) for p in parts) for i in (0, 1))
    rise_most, fall_most = (max(int(p[i].max()) for p in parts) for i in (0, 1))
    rise = [_steps(up, int(start), rise_least, rise_most) for (up, _), start in zip(parts, lo, strict=True)]
    fall = [_steps(down[::-1], -int(end), fall_least, fall_most) for (_, down), end in zip(parts, hi, strict=True)]
    return Turning(np.stack(rise), rise_least, np.stack(fall), fall_least, np.array(ties, np.int64))


def _split(codes: IntArray) -> tuple[IntArray, IntArray] | None:
    """(never falls, never rises) whose sum the codes are, if they turn at most once."""
    for turn in (int(codes.argmin()), int(codes.argmax())):
        left, right = codes[: turn + 1], codes[turn:]
        flat_left, flat_right = np.full(turn, codes[turn]), np.full(len(codes) - turn - 1, codes[turn])
        before, behind = np.concatenate([left, flat_right]), np.concatenate([flat_left, right])
        steps = np.diff(left), np.diff(right)
        if (steps[0] <= 0).all() and (steps[1] >= 0).all():
            return behind, before - codes[turn]
        if (steps[0] >= 0).all() and (steps[1] <= 0).all():
            return before, behind - codes[turn]
    return None


def _steps(values: IntArray, start: int, least: int, most: int) -> IntArray:
    """For each value above `least` the first place, counted from `start`, that reaches it; behind the end if none."""
    return start + np.searchsorted(values, np.arange(least + 1, most + 1), side="left")

"""Exact integer intervals of sums and codes."""

from __future__ import annotations

import numpy as np
import torch

from crq.convert.steps import Activated, Threshold
from crq.convert.thresholds import IntArray


def sum_range(codes: IntArray, lo: IntArray, hi: IntArray, groups: int) -> tuple[IntArray, IntArray]:
    """Interval of Σ codes·x per output channel; codes (O, I/groups, …), x in [lo, hi] per channel or 0 (padding)."""
    codes = codes.reshape(codes.shape[0], codes.shape[1], -1)
    group = np.arange(codes.shape[0]) // (codes.shape[0] // groups)
    index = group[:, None] * codes.shape[1] + np.arange(codes.shape[1])
    low, high = np.minimum(lo, 0)[index][..., None], np.maximum(hi, 0)[index][..., None]
    positive, negative = np.maximum(codes, 0), np.minimum(codes, 0)
    return (positive * low + negative * high).sum((1, 2)), (positive * high + negative * low).sum((1, 2))


def code_range(step: Threshold, lo: IntArray, hi: IntArray) -> tuple[IntArray, IntArray]:
    """Interval of the codes, per channel, that thresholds give for integers in [lo, hi]."""
    if isinstance(step, Activated) and step.fall.numel():  # it is highest at an end, lowest there or where it turns
        turns = [step.signs[:, None] * sign * table for sign, table in ((1, step.table), (-1, step.fall))]
        near = torch.cat([t + offset for t in turns for offset in (-1, 0, 1)], 1)
        ends = torch.from_numpy(np.stack([lo, hi], 1))
        codes: IntArray = step(torch.cat([ends, near.clamp(ends[:, :1], ends[:, 1:])], 1).T).numpy()
        return codes.min(axis=0), codes.max(axis=0)
    signs, table = step.signs.numpy(), step.table.numpy()
    outer = np.sort(np.stack([lo * signs, hi * signs]), axis=0)
    low, high = (step.qmin + (e[:, None] >= table).sum(1) for e in outer)
    return low, high

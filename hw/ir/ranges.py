"""Exact integer intervals."""

from __future__ import annotations

import numpy as np

from crq.hw.ir.layers import IntArray


def sum_range(codes: IntArray, lo: IntArray, hi: IntArray, groups: int) -> tuple[IntArray, IntArray]:
    """Per output channel, the interval of Σ code·x and of every partial sum in any order.

    codes (O, I/groups, …); x in [lo, hi] per input channel, or 0 where padded: each term's interval includes 0.
    """
    codes = codes.reshape(codes.shape[0], codes.shape[1], -1)
    group = np.arange(codes.shape[0]) // max(codes.shape[0] // groups, 1)
    index = group[:, None] * codes.shape[1] + np.arange(codes.shape[1])
    low, high = np.minimum(lo, 0)[index][..., None], np.maximum(hi, 0)[index][..., None]
    positive, negative = np.maximum(codes, 0), np.minimum(codes, 0)
    return (positive * low + negative * high).sum((1, 2)), (positive * high + negative * low).sum((1, 2))

"""Bits of indices and words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.layers import IntArray


def clog2(n: int) -> int:
    """Bits of an index into `n` things; 0 for one thing."""
    return max(0, int(n - 1).bit_length())


def signed_width(lo: int, hi: int) -> int:
    """Bits of a two's complement format that holds [lo, hi]."""
    return max(int(hi).bit_length() if hi > 0 else 0, int(-lo - 1).bit_length() if lo < 0 else 0) + 1


def as_bits(words: IntArray, bits: int) -> NDArray[np.bool_]:
    """Two's complement bits of (depth, n) words, (depth, n * bits)."""
    return ((words[..., None] >> np.arange(bits)) & 1).astype(bool).reshape(len(words), -1)

"""Weights as signed binary digits: what makes integer layers additions, and -x a complement."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.layers import IntArray, Mac
from crq.hw.ir.ranges import sum_range


def signed_digits(codes: NDArray[np.int8] | IntArray) -> NDArray[np.int8]:
    """Non-adjacent form: codes (…) to digits (…, n) in {-1, 0, 1}, value = sum of digit[k] * 2**k."""
    rest = codes.astype(np.int64)
    digits: list[IntArray] = []
    while rest.any() or not digits:
        odd = rest & 1
        digit = np.where(odd, 2 - (rest & 3), 0)
        digits.append(digit)
        rest = (rest - digit) >> 1
    return np.stack(digits, axis=-1).astype(np.int8)


@lru_cache(maxsize=256)
def digits_of(mac: Mac) -> NDArray[np.int8]:
    """The signed digits of a layer's weights, computed once: a folding search asks for them at every folding."""
    return signed_digits(mac.weights)


def complement_offset(mac: Mac) -> IntArray:
    """Per channel, what a folded lane's sum lacks: products of unsigned words, complements in place of negatives.

    A signed x counts from its lowest value. The products of an integer weight are of its digits in pairs.
    """
    digits, x = digits_of(mac), mac.input.format
    paired = digits.shape[-1] > 1
    negative = (digits[..., 0::2] < 0).astype(np.int64)
    if paired:
        negative[..., : digits.shape[-1] // 2] |= digits[..., 1::2] < 0
    highest = (1 << (x.bits + paired)) - 1
    lowest = 1 << (x.bits - 1) if x.signed else 0
    missing = highest * (negative << 2 * np.arange(negative.shape[-1])).sum(-1) + lowest * mac.weights.astype(np.int64)
    return -missing.reshape(len(missing), -1).sum(1)


@lru_cache(maxsize=256)
def complement_range(mac: Mac) -> tuple[IntArray, IntArray]:
    """The interval of a folded lane's sum; as no term is negative, every partial one lies between 0 and its end."""
    lo, hi = sum_range(mac.weights.astype(np.int64), mac.input.lo, mac.input.hi, mac.groups)
    offset = complement_offset(mac)
    return lo - offset, hi - offset


def lane_bits(mac: Mac, thresholds: bool) -> int:
    """Bits of a folded lane's accumulator: of its sums and one more before thresholds, else of the layer's results."""
    return int(complement_range(mac)[1].max() + 1).bit_length() if thresholds else mac.output.format.bits


# Non-zero digits of a layer whose weights are all built in: more of them no device holds, and no tool ends with.
MOST_UNROLLED = 1 << 17


def nonzero_digits(mac: Mac) -> int:
    """Terms of all sums of a pixel."""
    return int(np.count_nonzero(digits_of(mac)))


def sum_levels(mac: Mac) -> int:
    """Levels of two-input adders that a layer's longest sum needs; no adder graph of it is deeper."""
    terms = int(np.abs(digits_of(mac)).reshape(len(mac.weights), -1).sum(1, dtype=np.int64).max())
    return max(1, (terms - 1).bit_length())

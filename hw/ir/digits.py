"""Weights as signed binary digits: what makes integer layers additions, and -x a complement.

Folded lanes (hw/rtl/lib/crq_pe.sv) and unrolled ones (crq_pe_fixed.sv) complement different words.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hw.ir.layers import IntArray, Mac
from hw.ir.ranges import sum_range


def signed_digits(codes: NDArray[np.int8]) -> NDArray[np.int8]:
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


def inverted_offset(mac: Mac) -> IntArray:
    """Per channel, how much lower an unrolled sum is with ~x in place of -x: one per negative digit."""
    return (digits_of(mac) < 0).reshape(len(mac.weights), -1).sum(1).astype(np.int64)


def inverted_range(mac: Mac) -> tuple[IntArray, IntArray]:
    """The interval of every partial sum with ~x in place of -x."""
    x = mac.input
    digits = digits_of(mac)
    place = 1 << np.arange(digits.shape[-1])
    offset = inverted_offset(mac)
    # The sum of all digits' own intervals: widening each digit's separately covers every partial sum.
    positive = (np.maximum(digits, 0) * place).sum(-1)
    negative = (np.minimum(digits, 0) * place).sum(-1)
    lo_p, hi_p = sum_range(positive, x.lo, x.hi, mac.groups)
    lo_n, hi_n = sum_range(negative, x.lo, x.hi, mac.groups)
    return lo_p + lo_n - offset, hi_p + hi_n

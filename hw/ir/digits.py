"""Weights as signed binary digits: what makes integer layers additions, and -x a complement."""

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
    """Per channel, how much lower the sum is with ~x in place of -x: one per negative digit."""
    return (digits_of(mac) < 0).reshape(len(mac.weights), -1).sum(1).astype(np.int64)


def complement_range(mac: Mac) -> tuple[IntArray, IntArray]:
    """The interval of every partial sum with ~x in place of -x."""
    x = mac.input
    digits = digits_of(mac)
    place = 1 << np.arange(digits.shape[-1])
    offset = complement_offset(mac)
    # The sum of all digits' own intervals: widening each digit's separately covers every partial sum.
    positive = (np.maximum(digits, 0) * place).sum(-1)
    negative = (np.minimum(digits, 0) * place).sum(-1)
    lo_p, hi_p = sum_range(positive, x.lo, x.hi, mac.groups)
    lo_n, hi_n = sum_range(negative, x.lo, x.hi, mac.groups)
    return lo_p + lo_n - offset, hi_p + hi_n

"""The global optimum of Eq. 3 without a sort: a histogram of |w|, and an exact search where it leaves doubt.

|w| is binned by its float32 bits >> 16 (32768 bins, each 1/128 of its value wide). Prefix sums give the captured energy
(Σ top-k)²/k at every bin's edge, and bounds say which bins could hold a better k between their edges.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

_BINS = 1 << 15
# Weights handled at once: their buffers stay in a CPU's cache, and 2¹⁸ packed counts and sums stay below 2⁵³.
CHUNK = 1 << 18
_UNIT = 2.0**34
# A bin that could raise the energy by less than this share is not searched.
_SLACK = 1e-7


def optimum(flat: Tensor) -> float:
    """α = (Σ top-k)/k at the global maximum of (Σ top-k)²/k; NaN when a weight is not finite.

    flat: float32 [N], N > 0, of any sign and magnitude, denormals included.
    """
    counts, low_bits = _fill(flat)
    if bool(counts[_BINS - 128 :].any()):  # the exponent of infinity and NaN
        return float("nan")
    used = counts.nonzero().flatten().flip(0)  # largest weights first, as in every prefix sum below
    lowest, unit = (table[used] for table in _tables(flat.device))
    n, highest = counts[used], lowest + 65535 * unit
    s = n * lowest + low_bits[used] * unit
    k, total = n.cumsum(0), s.cumsum(0)
    energies = total * total / k
    best = int(energies.argmax())
    top = float(energies[best])
    if top == 0.0:
        return 0.0
    # The j largest of a bin sum to at most j·highest and at most s − (n − j)·lowest. Along a line the energy is largest
    # at an end, so where the two lines meet it is at most this:
    turn = ((s - n * lowest) / (highest - lowest)).clamp_min(0)
    bound = (total - s + turn * highest).square() / (k - n + turn).clamp_min(torch.finfo(torch.float64).tiny)
    doubtful = ((bound > top * (1 + _SLACK)) & (n > 1)).nonzero().flatten()
    if doubtful.numel():
        first, last = int(doubtful[0]), int(doubtful[-1])
        inside = descending(between(flat, float(lowest[last]), float(highest[first])))
        s_inside = inside.double().cumsum(0) + (total[first] - s[first])
        k_inside = torch.arange(1, len(inside) + 1, device=flat.device) + (k[first] - n[first])
        energies = s_inside * s_inside / k_inside
        winner = int(energies.argmax())
        if float(energies[winner]) > top:
            return float(s_inside[winner] / k_inside[winner])
    return float(total[best] / k[best])


def between(flat: Tensor, low: float, high: float) -> Tensor:
    """The magnitudes |w| in [low, high], float32, in the order of `flat`."""
    found = []
    # Buffers are reused: fresh ones of this size would be mapped and cleared by the system every time.
    magnitude, clamped = flat.new_empty(2, min(len(flat), CHUNK))
    inside = torch.empty_like(magnitude, dtype=torch.int8)  # a boolean result would take three times as long
    for part in flat.split(CHUNK):
        here, mask = torch.abs(part, out=magnitude[: len(part)]), inside[: len(part)]
        torch.eq(torch.clamp(here, low, high, out=clamped[: len(part)]), here, out=mask)
        if len(part) % 8 == 0:
            # Few are inside: look for groups of eight that hold any, then at their members.
            here = here.view(-1, 8)[mask.view(torch.int64).nonzero().flatten()].flatten()
            mask = (here >= low) & (here <= high)
        found.append(here[mask.bool()])
    return torch.cat(found)


def descending(values: Tensor) -> Tensor:
    """`values` sorted along the last axis, largest first; by NumPy on a CPU, whose sort is three times as fast."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy())).flip(-1)
    return values.sort(descending=True).values


def _fill(flat: Tensor) -> tuple[Tensor, Tensor]:
    """Per bin, the number of weights and the sum of their 16 low bits: float64, exact."""
    counts = torch.zeros(_BINS, dtype=torch.float64, device=flat.device)
    low_bits = torch.zeros_like(counts)
    keys = torch.empty(min(len(flat), CHUNK), dtype=torch.int32, device=flat.device)
    values = torch.empty_like(keys, dtype=torch.float64)
    for part in flat.view(torch.int32).split(CHUNK):
        key, value = keys[: len(part)], values[: len(part)]
        # One pass for both: every weight adds 2³⁴ plus its low bits.
        value.copy_(torch.bitwise_and(part, 0xFFFF, out=key)).add_(_UNIT)
        torch.bitwise_right_shift(part, 16, out=key).bitwise_and_(0x7FFF)
        packed = torch.bincount(key, value)
        number = packed.div(_UNIT).floor_()
        counts[: len(packed)] += number
        low_bits[: len(packed)] += packed.sub_(number, alpha=_UNIT)
    return counts, low_bits


@cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The least magnitude of each bin and the value of a lowest bit in it, float64."""
    bits = torch.arange(_BINS, dtype=torch.int32, device=device).bitwise_left_shift_(16)
    lowest = bits.view(torch.float32).double()
    return lowest, bits.bitwise_or(1).view(torch.float32).double() - lowest

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
_INFINITE = _BINS - 128
"""The first bin of the exponent that infinity and NaN have."""
CHUNK = 1 << 18
"""Weights handled at once: their buffers stay in a CPU's cache."""
# A bin's int64 holds the number of its weights above this bit and the sum of their 16 low bits below it.
_COUNT = 40
_BLOCK = 1 << 22
"""Weights between two readings of the bins: neither part can overflow."""
# A bin that could raise the energy by less than this share is not searched.
_SLACK = 1e-7


def optimum(flat: Tensor) -> float:
    """α = (Σ top-k)/k at the global maximum of (Σ top-k)²/k; NaN when a weight is not finite.

    flat: float32 [N], N > 0, of any sign and magnitude, denormals included.
    """
    used, n, low_bits = _fill(flat)
    if int(used[0]) >= _INFINITE:
        return float("nan")
    lowest, unit = (table[used] for table in _tables(flat.device))
    highest = lowest + 65535 * unit
    s = n * lowest + low_bits * unit
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
    magnitude = flat.new_empty(min(len(flat), CHUNK))
    for part in flat.split(CHUNK):
        here = torch.abs(part, out=magnitude[: len(part)])
        if flat.device.type == "cpu":  # NumPy picks the few ones in half of torch's time
            values = here.numpy()
            found.append(torch.from_numpy(values[(values >= np.float32(low)) & (values <= np.float32(high))]))
        else:
            found.append(here[(here >= low) & (here <= high)])
    return torch.cat(found)


def descending(values: Tensor) -> Tensor:
    """`values` sorted along the last axis, largest first; by NumPy on a CPU, whose sort is three times as fast."""
    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy())).flip(-1)
    return values.sort(descending=True).values


def _fill(flat: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The bins that hold weights, largest first; for each their number and the sum of their 16 low bits, float64."""
    buffers = torch.empty(2, min(len(flat), CHUNK), dtype=torch.int64, device=flat.device)
    blocks = flat.view(torch.int32).split(_BLOCK)
    bins = torch.zeros(len(blocks), _BINS, dtype=torch.int64, device=flat.device)
    for block, packed in zip(blocks, bins, strict=True):
        for part in block.split(CHUNK):
            key, value = buffers[:, : len(part)]
            value.copy_(part)
            torch.bitwise_right_shift(value, 16, out=key).bitwise_and_(_BINS - 1)
            packed.scatter_add_(0, key, value.bitwise_and_(0xFFFF).add_(1 << _COUNT))
    used = (bins[0] if len(bins) == 1 else bins.amax(0)).nonzero().flatten().flip(0)
    packed = bins[:, used]
    return used, (packed >> _COUNT).sum(0).double(), packed.bitwise_and_((1 << _COUNT) - 1).sum(0).double()


@cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The least magnitude of each bin and the value of a lowest bit in it, float64."""
    bits = torch.arange(_BINS, dtype=torch.int32, device=device).bitwise_left_shift_(16)
    lowest = bits.view(torch.float32).double()
    return lowest, bits.bitwise_or(1).view(torch.float32).double() - lowest

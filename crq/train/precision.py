"""Whether a precision pays on this machine, by a measurement of half a second."""

from __future__ import annotations

import time

import torch
from torch import nn

SECONDS = 0.25
"""Of each of the two measurements."""
SLOWER = 1.2
"""Ratio of times from which a precision is told to be slower; below, it is noise."""
TYPES = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16}


def warning(precision: str, device: torch.device) -> str | None:
    """What to tell before a training in `precision` that takes longer than one in 32-true; None where it does not."""
    if precision not in TYPES:
        return None
    ratio = times_as_long(TYPES[precision], device)
    if ratio < SLOWER:
        return None
    return (
        f"precision {precision} takes {ratio:.1f} times as long as 32-true here: this processor has no units for it. "
        'Leave precision out of the recipe, or set it to "32-true"'
    )


def times_as_long(dtype: torch.dtype, device: torch.device) -> float:
    """Time of a convolution, forward and backward, under autocast to `dtype`, over that in float32."""
    return _steps(None, device) / _steps(dtype, device)


def _steps(dtype: torch.dtype | None, device: torch.device) -> float:
    """Steps per second."""
    layer = nn.Conv2d(32, 32, 3, padding=1).to(device)
    images = torch.zeros(16, 32, 16, 16, device=device)
    count, start = 0, 0.0
    while count < 2 or time.perf_counter() - start < SECONDS:
        with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            loss = layer(images).float().sum()
        loss.backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        count += 1
        if count == 1:  # the first is slow in any precision
            start = time.perf_counter()
    return (count - 1) / (time.perf_counter() - start)

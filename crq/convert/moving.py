"""Modules that move codes, as steps on integers, and the ranges that their channels have then."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from crq.convert import moved
from crq.convert.channels import Channels
from crq.convert.pixels import Pixels, Row
from crq.convert.step import Step
from crq.convert.thresholds import IntArray


def moving(module: Any, lo: IntArray, hi: IntArray, rank: int) -> tuple[Step, IntArray, IntArray]:
    """The step of a `module` that reads channels in [lo, hi] (int64, (C,)) with `rank` spatial axes; its own ranges."""
    if isinstance(module, Channels):
        return moved.Channels(module.index), np.append(lo, 0)[module.index], np.append(hi, 0)[module.index]
    if isinstance(module, nn.PixelShuffle):
        block = module.upscale_factor
        step = moved.Shuffle(block)
        return step, lo.reshape(-1, block**2).min(1), hi.reshape(-1, block**2).max(1)
    if isinstance(module, nn.PixelUnshuffle):
        block = module.downscale_factor
        return moved.Unshuffle(block, len(lo)), np.repeat(lo, block**2), np.repeat(hi, block**2)
    if isinstance(module, Pixels):
        return moved.Slice(*([int(v) for v in ends] for ends in zip(*module.slices, strict=True))), lo, hi
    if isinstance(module, Row):
        return moved.Row(module.to_signal), lo, hi
    return moved.Enlarge([int(f) for f in np.broadcast_to(module.scale_factor, rank)]), lo, hi

"""Smaller images first: progressive resizing, which saves most of the time of early epochs."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from crq.train.sections import Phase


def side(phase: Phase, epoch: int) -> int | None:
    """The images' height in `epoch` (from 0) of `phase`; None for their own.

    `phase.sizes` share its epochs evenly, in order.
    """
    if not phase.sizes:
        return None
    return phase.sizes[min(epoch * len(phase.sizes) // phase.epochs, len(phase.sizes) - 1)]


def scaled(images: Tensor, height: int | None) -> Tensor:
    """Float `images` [N, C, H, W] at that height, their width in proportion: bilinear, with antialiasing."""
    if height is None or height == images.shape[-2]:
        return images
    width = max(1, round(images.shape[-1] * height / images.shape[-2]))
    return F.interpolate(images, (height, width), mode="bilinear", antialias=True, align_corners=False)

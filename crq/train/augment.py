"""Random changes of training images, a whole batch at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from crq.train.augmentation import Augmentation

AREA = (0.35, 1.0)
"""Share of the image that a resized crop shows: 0.08, usual for photographs, leaves little of 32 pixels."""
STRETCH = 4 / 3
"""Its sides' ratio differs from the image's by at most so much."""


def augmented(images: Tensor, changes: Augmentation, generator: torch.Generator, pad: int | None = None) -> Tensor:
    """`images` [B, C, H, W], of any dtype, changed. pad: pixels that a crop shifts by at most."""
    height = images.shape[-2]
    if changes.crop or changes.flip:
        most = max(1, height // 8) if pad is None else pad
        images = _shifted(images, most if changes.crop else 0, changes.flip, generator)
    if changes.resized:
        images = _resized(images, generator)
    return _cut_out(images, max(1, height // 2), generator) if changes.cutout else images


def _shifted(images: Tensor, pad: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Zero-pad by `pad`, cut back to size at a random place, mirror half of them."""
    count, channels, height, width = images.shape
    padded = F.pad(images, (pad, pad, pad, pad))
    top, left = torch.randint(0, 2 * pad + 1, (2, count, 1), generator=generator)
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    if flip:
        mirrored = torch.rand(count, 1, generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    places = rows[:, :, None] * (width + 2 * pad) + columns[:, None, :]
    # One gather over flat pixels: indexing by three index tensors takes several times as long.
    return padded.flatten(2).gather(2, places.flatten(1)[:, None].expand(-1, channels, -1)).view(images.shape)


def _resized(images: Tensor, generator: torch.Generator) -> Tensor:
    """A random part of each image, bilinear at the image's size; integers are rounded."""
    count = len(images)
    area, ratio, down, right = torch.rand(4, count, generator=generator)
    area = AREA[0] + (AREA[1] - AREA[0]) * area
    stretch = STRETCH ** (ratio - 0.5)  # of the height; its inverse of the width
    tall, wide = (area.sqrt() * stretch).clamp(max=1), (area.sqrt() / stretch).clamp(max=1)
    # In coordinates from −1 to 1 a part of height t has its middle within ±(1 − t).
    zero = torch.zeros(count)
    across = torch.stack([wide, zero, (2 * right - 1) * (1 - wide)], 1)
    theta = torch.stack([across, torch.stack([zero, tall, (2 * down - 1) * (1 - tall)], 1)], 1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    made = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return (made if images.is_floating_point() else made.round()).to(images.dtype)


def _cut_out(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Zeros in a square whose middle lies anywhere in the image."""
    count, _, height, width = images.shape
    rows = torch.randint(0, height, (count, 1), generator=generator) - side // 2
    columns = torch.randint(0, width, (count, 1), generator=generator) - side // 2
    y, x = torch.arange(height), torch.arange(width)
    inside = ((y >= rows) & (y < rows + side))[:, :, None] & ((x >= columns) & (x < columns + side))[:, None]
    return images.masked_fill(inside[:, None], 0)

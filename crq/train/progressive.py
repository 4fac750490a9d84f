"""Smaller images first: progressive resizing, which saves most of the time of early epochs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crq.errors import CrqError
from crq.train.sections import Phase


def side(phase: Phase, epoch: int) -> int | None:
    """The images' height in `epoch` (from 0) of `phase`; None for their own.

    `phase.sizes` share its epochs evenly, in order; with fewer epochs than sizes some are left out, never the last.
    """
    if not phase.sizes:
        return None
    left = phase.epochs - 1 - epoch
    return phase.sizes[-1 - left * len(phase.sizes) // phase.epochs]


def scaled(images: Tensor, height: int | None) -> Tensor:
    """Float `images` [N, C, H, W] at that height, their width in proportion: bilinear, with antialiasing."""
    if height is None or height == images.shape[-2]:
        return images
    width = max(1, round(images.shape[-1] * height / images.shape[-2]))
    return F.interpolate(images, (height, width), mode="bilinear", antialias=True, align_corners=False)


@torch.no_grad()
def check(key: str, sizes: tuple[int, ...], network: nn.Module, example: Tensor) -> None:
    """Refuse the `sizes` of a phase, called `key`, that `network`, in eval mode, does not take.

    example: samples [N, …] of the data. Raises `CrqError` where they are no images, where the sizes do not end with
    theirs, and where another height gives no scores or other ones in number.
    """
    if example.dim() != 4:
        shape = tuple(example.shape[1:])
        raise CrqError(f"{key} is for images [C, H, W], not for samples of shape {shape}: leave it out")
    own = example.shape[2]
    if sizes[-1] != own or max(sizes) > own:
        raise CrqError(f"{key}: the images are {own} high; give heights up to that, which end with it: [..., {own}]")
    expected = network(example).shape
    for height in sorted(set(sizes) - {own}):
        try:
            found = network(scaled(example, height)).shape
            why = f"its scores have shape {tuple(found[1:])} instead of {tuple(expected[1:])}"
        except Exception as error:  # the forward of a user's module may raise anything
            found, why = None, str(error) or type(error).__name__
        if found != expected:
            raise CrqError(
                f"{key}: the network does not take images {height} high in place of {own} ({why}): let it end with a "
                "mean over the map, x.mean((2, 3)), and ask nothing of their size, or leave sizes out"
            )

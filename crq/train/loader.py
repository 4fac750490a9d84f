"""Batches from data in memory, a pure function of (seed, epoch, rank): resuming needs no saved random state."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from crq.convert.preprocessing import Steps, apply
from crq.errors import CrqError
from crq.train.augment import augmented
from crq.train.augmentation import Augmentation
from crq.train.image_files import ImageFiles
from crq.train.images import ImageData
from crq.train.sources.values import ValueData


class BatchLoader:
    """Iterates over (float32 inputs, labels) in batches, in a new order each epoch when `shuffle`.

    Inputs are images as byte/256, or values as they are; then the `steps` of the host, if any, in float64.

    augment: changes of images, as `Augmentation.parse` reads them. pad: pixels that `crop` shifts by at most. rank,
    world: this process's share when several train together; the images are cut to a multiple of `world` so that every
    process sees as many. Each pass is one epoch; `set_epoch` chooses it.
    """

    def __init__(
        self,
        data: ImageData | ImageFiles | ValueData,
        batch_size: int,
        shuffle: bool = False,
        augment: str = "none",
        pad: int | None = None,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        steps: Steps = (),
    ) -> None:
        if batch_size < 1:
            raise CrqError(f"batch_size must be at least 1, not {batch_size}")
        if augment != "none" and len(data.shape) != 3:
            raise CrqError(f"augment {augment!r} is for images [C, H, W], not for shape {data.shape}: use 'none'")
        self.data, self.batch_size, self.shuffle, self.steps = data, batch_size, shuffle, steps
        self.augment, self.pad = Augmentation.parse(augment), pad
        self.seed, self.rank, self.world = seed, rank, world
        self.epoch = 0

    # Lightning looks for these two, and calls `sampler.set_epoch` before each epoch.
    batch_sampler = None

    @property
    def sampler(self) -> BatchLoader:
        """Itself."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the next pass."""
        self.epoch = epoch

    @property
    def _share(self) -> int:
        return len(self.data) // self.world if self.shuffle else len(range(self.rank, len(self.data), self.world))

    def __len__(self) -> int:
        full, rest = divmod(self._share, self.batch_size)
        # A last batch of one image would break batch norm; a training epoch leaves it out.
        return full + (rest > (1 if self.shuffle and full else 0))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        start = (self.seed * 1_000_003 + self.epoch) * 1009
        generator = torch.Generator().manual_seed(start % 2**64)
        count = len(self.data)
        order = torch.randperm(count, generator=generator) if self.shuffle else torch.arange(count)
        order = order[self.rank :: self.world][: self._share]
        generator.manual_seed((start + 1 + self.rank) % 2**64)
        for index in range(len(self)):
            chosen = order[index * self.batch_size : (index + 1) * self.batch_size]
            images = self.data.take(chosen)
            if any(self.augment):
                images = augmented(images, self.augment, generator, self.pad)
            values = images.float().div_(256) if images.dtype == torch.uint8 else images
            yield apply(self.steps, values).float() if self.steps else values, self.data.labels[chosen]

"""A bounded number of a loader's batches, and the images in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, IterableDataset

from crq.errors import CrqError

BATCHES = 32
"""How many batches statistics are taken from by default."""


class Bounded:
    """The first `limit` batches of `loader` (None: all), pass after pass. A tensor is one batch.

    A loader that can be read once only, such as a generator, is read once and its `limit` batches are kept; of any
    other no batch is kept. Raises `CrqError` unless `limit` is positive, and for a dataset of single samples.
    """

    def __init__(self, loader: Iterable[Any], limit: int | None = BATCHES) -> None:
        if limit is not None and limit < 1:
            raise CrqError(f"batches must be at least 1, not {limit}")
        self.limit = limit
        if isinstance(loader, Dataset) and not isinstance(loader, IterableDataset):
            raise CrqError(
                f"a dataset ({type(loader).__name__}) gives single samples: expected batches, as "
                "DataLoader(dataset, batch_size=64) gives them"
            )
        if isinstance(loader, Tensor):  # its rows would pass for batches of images of one dimension less
            loader = [loader]
        iterator = iter(loader)
        self._loader = list(islice(iterator, limit)) if iterator is loader else loader

    def __iter__(self) -> Iterator[Any]:
        return islice(self._loader, self.limit)


def images_of(batch: Any) -> Tensor:
    """The images of a batch: itself, or the first of (images, labels, …)."""
    images: Tensor = batch[0] if isinstance(batch, tuple | list) else batch
    if not isinstance(images, Tensor) or not images.dim():
        found = "a single number" if isinstance(images, Tensor) else type(images).__name__
        raise CrqError(f"a batch holds {found}; expected a tensor of images [N, …], or (images, labels)")
    if not len(images):
        raise CrqError(f"a batch of shape {tuple(images.shape)} is empty: leave it out")
    return images


def joined(batches: Iterable[Tensor], most: int) -> Tensor:
    """One batch of the first images of one size, at least the first batch and at most `most` images beyond it."""
    parts: list[Tensor] = []
    for images in batches:
        if parts and images.shape[1:] != parts[0].shape[1:]:
            break
        parts.append(images)
        if sum(map(len, parts)) >= most:
            break
    if not parts:
        raise CrqError("calibration needs at least one batch, got none")
    return torch.cat(parts)[: max(most, len(parts[0]))]


def device_of(model: nn.Module) -> torch.device:
    """The device of the model's first parameter or buffer."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")

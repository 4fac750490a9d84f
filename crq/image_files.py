"""Images by class that stay on disk: decoded, resized and cut when a batch asks for them (ImageNet and its like)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from crq.errors import CrqError


@dataclass(frozen=True)
class ImageFiles:
    """What `ImageData` is, without the pixels in memory. size: side of the square that `take` returns."""

    paths: tuple[Path, ...]
    labels: Tensor
    classes: tuple[str, ...]
    name: str
    size: int

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return (3, self.size, self.size)

    def take(self, indices: Tensor) -> Tensor:
        """uint8 [B, 3, size, size]: the shorter side scaled to 8/7 of `size`, the middle cut out."""
        chosen = [self.paths[int(index)] for index in indices]
        # Decoding releases the interpreter lock, so threads do it side by side.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return torch.stack(list(pool.map(partial(_decode, size=self.size), chosen)))

    def subset(self, indices: Tensor) -> ImageFiles:
        """The images at `indices` (int64), in that order."""
        paths = tuple(self.paths[int(index)] for index in indices)
        return replace(self, paths=paths, labels=self.labels[indices])


def find(folder: Path, name: str, size: int, endings: tuple[str, ...]) -> ImageFiles:
    """The images under `folder`, one folder per class; raises `CrqError` when there are none."""
    classes = tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir()))
    paths: list[Path] = []
    labels: list[int] = []
    for label, kind in enumerate(classes):
        found = sorted(path for path in (folder / kind).iterdir() if path.suffix.lower() in endings)
        paths += found
        labels += [label] * len(found)
    if not paths:
        raise CrqError(f"{folder} has no images; expected one folder of images ({', '.join(endings)}) per class")
    return ImageFiles(tuple(paths), torch.tensor(labels), classes, name, size)


def _decode(path: Path, size: int) -> Tensor:
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
            scale = size * 8 / 7 / min(image.size)
            width, height = (max(size, round(side * scale)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BILINEAR)
            left, top = (width - size) // 2, (height - size) // 2
            pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    except OSError as error:
        raise CrqError(f"image {path} cannot be read: {error}") from error
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)

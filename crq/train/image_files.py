"""Images by class that stay on disk: decoded, resized and cut when a batch asks for them (ImageNet and its like)."""

from __future__ import annotations

import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from crq.errors import CrqError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm")
# What Pillow raises on damaged files, besides OSError.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class ImageFiles(Dataset[tuple[Tensor, int]]):
    """What `ImageData` is, without the pixels in memory. size: side of the square that `take` returns."""

    paths: tuple[Path, ...]
    labels: Tensor
    classes: tuple[str, ...]
    name: str
    size: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.take(torch.tensor([index]))[0].float() / 256, int(self.labels[index])

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

    def subset(self, indices: Tensor) -> Self:
        """The images at `indices` (int64), in that order."""
        paths = tuple(self.paths[int(index)] for index in indices)
        return replace(self, paths=paths, labels=self.labels[indices])


def listing(root: Path, split: str) -> tuple[list[Path], Tensor, tuple[str, ...]]:
    """Paths, labels and class names of the images in `root/split`, one folder per class.

    A label is the place of the folder's name among those of `root/train`, or of `root/split` where there is no train.
    What begins with a dot is no class and no image. Raises `CrqError` for a class that train lacks, or no images.
    """
    folder = root / split
    here = _visible(folder)
    classes = _visible(root / "train") if (root / "train").is_dir() else here
    for kind in here:
        if kind not in classes:
            known = ", ".join(classes)
            raise CrqError(f"{folder / kind} is a class that {root / 'train'} lacks; its classes are {known}")
    paths: list[Path] = []
    labels: list[int] = []
    for kind in here:
        inside = sorted((folder / kind).iterdir())
        found = [path for path in inside if path.suffix.lower() in ENDINGS and not path.name.startswith(".")]
        paths += found
        labels += [classes.index(kind)] * len(found)
    if not paths:
        raise CrqError(f"{folder} has no images; expected one folder of images ({', '.join(ENDINGS)}) per class")
    return paths, torch.tensor(labels), classes


def _visible(folder: Path) -> tuple[str, ...]:
    """Names of the folders in `folder`, but for hidden ones such as .ipynb_checkpoints."""
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")))


def find(root: Path, split: str, name: str, size: int) -> ImageFiles:
    """The images under `root/split`, one folder per class; see `listing`."""
    paths, labels, classes = listing(root, split)
    return ImageFiles(tuple(paths), labels, classes, name, size)


def read(path: Path, modes: tuple[str, ...] = ("L", "RGB")) -> Image.Image:
    """The decoded image, as RGB if its mode is not among `modes`; raises `CrqError` naming the file."""
    try:
        with Image.open(path) as image:
            # Pillow clips these to white instead of scaling them.
            if image.mode == "F" or image.mode.startswith("I"):
                raise CrqError(f"image {path} has mode {image.mode}; 8 bits per channel expected: convert it first")
            image.load()
            return image if image.mode in modes else image.convert("RGB")
    except CrqError:
        raise
    except _DAMAGED as error:
        raise CrqError(f"image {path} cannot be read: {error}") from error


def _decode(path: Path, size: int) -> Tensor:
    image = read(path, ("RGB",))
    scale = size * 8 / 7 / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    pixels = np.asarray(image.crop((left, top, left + size, top + size)))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)

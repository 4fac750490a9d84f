"""Images as bytes: digits, IDX folders (MNIST), CIFAR-10 binary files, folders of images by class.

Every image is uint8 [C, H, W]; its float value is byte/256, so the raw bytes are the network's input codes.
"""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from crq.errors import CrqError, nearest
from crq.train import archives, download, image_files
from crq.train.image_files import ImageFiles
from crq.train.sources.tables import ENDINGS

SPLITS = ("train", "test", "fit", "val")


class Divisible(Protocol):
    """Samples of which some can be taken."""

    def __len__(self) -> int: ...

    def subset(self, indices: Tensor) -> Self: ...


Held = TypeVar("Held", bound=Divisible)
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_VALIDATION = 0.1
_HOMES = {
    "mnist": ("mnist",),
    "fashion-mnist": ("fashion-mnist", "/usr/share/datasets/fashion-mnist"),
    "cifar10": ("cifar10", "cifar-10-batches-bin"),
}
_FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class ImageData(Dataset[tuple[Tensor, int]]):
    """A data set in memory. images: uint8 [N, C, H, W]; labels: int64 [N]; classes: a name per label; without
    classes the images have no labels, and those here are zeros.

    Indexing gives (float32 image = byte/256, label).
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.dim() < 3:
            raise CrqError(
                f"{self.name}: images must be uint8 [N, C, …], not {self.images.dtype} {self.images.dim()}-D"
            )
        if len(self.images) != len(self.labels) or not len(self.images):
            raise CrqError(
                f"{self.name}: {len(self.images)} images and {len(self.labels)} labels; expected as many, > 0"
            )
        if self.labels.dim() != 1 or self.labels.dtype not in _INTEGERS:
            raise CrqError(f"{self.name}: labels must be integers [N], not {self.labels.dtype} {self.labels.dim()}-D")
        last = max(len(self.classes) - 1, 0)
        if int(self.labels.min()) < 0 or int(self.labels.max()) > last:
            raise CrqError(
                f"{self.name}: labels run from {int(self.labels.min())} to {int(self.labels.max())}; expected 0 to "
                f"{last} for {len(self.classes)} classes"
            )
        object.__setattr__(self, "labels", self.labels.long())

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index].float() / 256, int(self.labels[index])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return tuple(self.images.shape[1:])

    def take(self, indices: Tensor) -> Tensor:
        """uint8 images at `indices` (int64)."""
        return self.images[indices]

    def subset(self, indices: Tensor) -> Self:
        """The images at `indices` (int64), in that order."""
        return replace(self, images=self.images[indices], labels=self.labels[indices])


def open_files(spec: str, root: str | os.PathLike[str], size: int) -> ImageFiles:
    """The split `name:split` of a folder of images by class, left on disk and scaled to `size` × `size` when read."""
    name, _, split = spec.rpartition(":")
    folder = Path(root) / split
    if not folder.is_dir():
        raise CrqError(f"{folder} does not exist; expected a folder of images per class in it")
    return image_files.find(Path(root), split, name, size)


def fetch(name: str, root: str | os.PathLike[str] | None = None) -> Path:
    """Complete the public data set `name` in `root`, by default where `load` looks for it, and return that folder."""
    known = (*download.SOURCES, *archives.ARCHIVES)
    if name not in known:
        raise CrqError(f"data {name!r} cannot be downloaded; only {', '.join(known)} can")
    places = [Path(root)] if root is not None else places_of(name)
    folder = next((place for place in places if place.is_dir()), places[0])
    (download if name in download.SOURCES else archives).fetch(name, folder)
    return folder


def load(spec: str, root: str | os.PathLike[str] | None = None) -> ImageData:
    """The images by class `name:split`, for example `digits:test`.

    name: digits, mnist, fashion-mnist, cifar10, or the path of a folder (IDX files, CIFAR-10 .bin files, or one
    folder of images per class, inside train/ and test/; train's folders number the classes). split: train, test, or
    fit and val, the two parts of train (9 : 1, the same in every run). root: the folder holding the files; by default
    $CRQ_DATA/name, data/name, or where Debian's package puts them; digits have none. Raises `CrqError` naming what was
    looked for and where.
    """
    name, found, split = spec.rpartition(":")
    if not found or split not in SPLITS:
        raise CrqError(
            f"data {spec!r} must be name:split with split one of {', '.join(SPLITS)}, for example digits:test"
        )
    if split in ("fit", "val"):
        return holdout(load(f"{name}:train", root), _VALIDATION)[split == "val"]
    if name == "digits":
        if root is not None:
            raise CrqError(f"digits come with scikit-learn, not from the folder {root}: leave out the data root")
        return _digits(split)
    return read_folder(_find(name, root), split, name)


def holdout(data: Held, fraction: float, seed: int = 0) -> tuple[Held, Held]:
    """`data` in two parts, the second with `fraction` of the samples, by a permutation that depends on `seed` alone."""
    if not 0 < fraction < 1:
        raise CrqError(f"the held-out fraction must lie between 0 and 1, not {fraction}")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(data)))
    count = max(1, round(len(data) * fraction))
    return data.subset(order[count:].sort().values), data.subset(order[:count].sort().values)


def read_folder(folder: Path, split: str, name: str | None = None) -> ImageData:
    """A split from a folder: IDX files, CIFAR-10 binaries, or images by class under `folder/split`."""
    name = name or folder.name
    prefix = "train" if split == "train" else "t10k"
    if _first(folder, f"{prefix}-images*ubyte*"):
        classes = _FASHION if "fashion" in name else tuple("0123456789")
        return _idx(folder, prefix, classes, name)
    if _first(folder, "*batch*.bin"):
        return _cifar(folder, split, name)
    if (folder / split).is_dir():
        return _image_folder(folder, split, name)
    raise CrqError(
        f"folder {folder} has no data for split {split!r}: expected IDX files ({prefix}-images-idx3-ubyte[.gz]), "
        f"CIFAR-10 binaries (data_batch_1.bin …) or a folder {split}/ with one folder of images per class"
    )


def _find(name: str, root: str | os.PathLike[str] | None) -> Path:
    if root is not None:
        if not Path(root).is_dir():
            raise CrqError(f"data folder {root} does not exist")
        return Path(root)
    if Path(name).is_dir():
        return Path(name)
    if Path(name).is_file():
        endings = ", ".join((".npz", ".npy", *ENDINGS))
        raise CrqError(f"data {name}: no file of data by its ending; expected one that ends in {endings}")
    if name not in _HOMES:
        known = ("digits", *_HOMES, *archives.ARCHIVES)
        raise CrqError(
            f"unknown data {name!r}{nearest(name, known)}; expected {', '.join(known)}, an existing folder, an .npz, "
            ".npy, .csv or .parquet file, or module:function of yours"
        )
    places = places_of(name)
    found = next((place for place in places if place.is_dir()), None)
    if found is not None:
        return found
    tried = ", ".join(str(place) for place in places)
    raise CrqError(
        f"data {name!r} not found (looked in {tried}): set CRQ_DATA, give the folder (root), or let crq train fetch it "
        "(--download, or data.download = true in the recipe)"
    )


def places_of(name: str) -> list[Path]:
    """Where the files of `name` may lie, the place to put them first."""
    bases = [Path(os.environ["CRQ_DATA"])] if "CRQ_DATA" in os.environ else []
    return list(dict.fromkeys(base / place for base in (*bases, Path("data")) for place in _HOMES.get(name, (name,))))


def _first(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)


def _digits(split: str) -> ImageData:
    from sklearn.datasets import load_digits

    raw = load_digits()
    # Pixels run from 0 to 16; 16·16 = 256 does not fit a byte.
    images = torch.from_numpy(np.minimum(raw.images * 16, 255).astype(np.uint8))[:, None]
    data = ImageData(images, torch.from_numpy(raw.target.astype(np.int64)), tuple("0123456789"), "digits")
    return holdout(data, 0.2, seed=1797)[split == "test"]


def _open(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise CrqError(f"{path} cannot be read: {error}") from error


def _idx_array(path: Path, dimensions: int) -> np.ndarray:
    raw = _open(path)
    if len(raw) < 4 + 4 * dimensions or raw[:4] != bytes((0, 0, 8, dimensions)):
        raise CrqError(f"{path} is not an IDX file of bytes with {dimensions} dimension(s)")
    shape = np.frombuffer(raw, ">i4", dimensions, 4)
    if len(raw) != 4 + 4 * dimensions + int(np.prod(shape, dtype=np.int64)):
        raise CrqError(f"{path} is cut short or too long for its shape {tuple(int(n) for n in shape)}")
    return np.frombuffer(raw, np.uint8, -1, 4 + 4 * dimensions).reshape(shape)


def _idx(folder: Path, prefix: str, classes: tuple[str, ...], name: str) -> ImageData:
    images, labels = _first(folder, f"{prefix}-images*ubyte*"), _first(folder, f"{prefix}-labels*ubyte*")
    if images is None or labels is None:
        raise CrqError(f"{folder} lacks {prefix}-labels-idx1-ubyte[.gz]")
    pixels = torch.from_numpy(_idx_array(images, 3).copy())[:, None]
    return ImageData(pixels, torch.from_numpy(_idx_array(labels, 1).astype(np.int64)), classes, name)


def _cifar(folder: Path, split: str, name: str) -> ImageData:
    files = sorted(folder.glob("data_batch_*.bin" if split == "train" else "test_batch.bin"))
    if not files:
        raise CrqError(f"{folder} has no {'data_batch_*.bin' if split == 'train' else 'test_batch.bin'}")
    parts = []
    for file in files:
        raw = np.frombuffer(_open(file), np.uint8)
        if raw.size % 3073:
            raise CrqError(f"{file} is not a CIFAR-10 binary: its size is no multiple of 3073 bytes")
        parts.append(raw.reshape(-1, 3073))
    rows = np.concatenate(parts)
    images = torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32).copy())
    return ImageData(images, torch.from_numpy(rows[:, 0].astype(np.int64)), _CIFAR, name)


def _image_folder(folder: Path, split: str, name: str) -> ImageData:
    paths, labels, classes = image_files.listing(folder, split)
    arrays: list[np.ndarray] = []
    for path in paths:
        pixels = np.asarray(image_files.read(path))
        if arrays and pixels.shape != arrays[0].shape:
            raise CrqError(
                f"{path} is {pixels.shape}, the images before it are {arrays[0].shape}; bring all to one size"
            )
        arrays.append(pixels)
    stack = np.stack(arrays)
    stack = stack[:, None] if stack.ndim == 3 else stack.transpose(0, 3, 1, 2)
    return ImageData(torch.from_numpy(np.ascontiguousarray(stack)), labels, classes, name)

"""WAV files: 8, 16, 24 and 32-bit PCM and floats, by class in folders, as log-mel features or samples."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crq.errors import CrqError
from crq.train.sources.logmel import LogMel
from crq.train.sources.raw import Parts, Raw

_DAMAGED = (OSError, ValueError, EOFError, IndexError, TypeError, UnboundLocalError, struct.error)
"""What scipy raises on damaged files."""
_SPLITS = ("train", "test", "val")


@dataclass(frozen=True)
class Front:
    """A clip of `samples` at `rate` becomes [1, mels, frames]; without `logmel` [1, samples]."""

    rate: int
    samples: int
    logmel: LogMel | None

    def __call__(self, path: Path) -> NDArray[np.float32]:
        """The features of a file, cut or filled up with zeros at its end to the clip's length."""
        return self.features(read(path, self.rate))

    def features(self, sound: NDArray[np.float64]) -> NDArray[np.float32]:
        """The features of samples at `rate`, of any number."""
        clip = np.zeros(self.samples)
        clip[: len(sound)] = sound[: self.samples]
        return (clip.astype(np.float32) if self.logmel is None else self.logmel(clip))[None]


def read(path: Path, rate: int) -> NDArray[np.float64]:
    """The samples of a WAV file, full scale 1, its channels averaged; raises `CrqError` for another rate."""
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks it skips: players' notes
            found, sound = wavfile.read(path)
    except _DAMAGED as error:
        raise CrqError(f"{path} is no WAV file of PCM or floats, or is damaged: {error}; convert it to PCM") from error
    if found != rate:
        raise CrqError(
            f"{path} has {found} samples/s; expected {rate}: set data.sound.rate = {found}, or convert the file "
            f"(sox IN -r {rate} OUT)"
        )
    full = {"u1": (128, 128), "i2": (0, 1 << 15), "i4": (0, 1 << 31), "i8": (0, 1 << 63)}  # 24 bits are left-justified
    zero, scale = full.get(sound.dtype.str[1:], (0, 1))
    samples = (sound.astype(np.float64) - zero) / scale
    if not len(samples) or not bool(np.isfinite(samples).all()):
        raise CrqError(f"{path} holds no samples, or some that are not finite: record it again or leave it out")
    return samples.mean(1) if samples.ndim == 2 else samples


def is_folder(folder: Path) -> bool:
    """Whether there are WAV files by class in the folder, or in its folder train."""
    return any(any(here.glob("*/*.wav")) for here in (folder / "train", folder))


def folder_parts(folder: Path, front: Front) -> Parts:
    """The splits train/, test/ and perhaps val/ of a folder, or the folder as a whole, each with a folder per class."""
    if not (folder / "train").is_dir():
        return {"all": partial(by_class, folder, _classes(folder), front)}
    classes = _classes(folder / "train")
    return {split: partial(by_class, folder / split, classes, front) for split in _SPLITS if (folder / split).is_dir()}


def _classes(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and any(entry.glob("*.wav"))))


def by_class(folder: Path, classes: Sequence[str], front: Front) -> Raw:
    """The features of folder/CLASS/*.wav; a class that is not among `classes` raises `CrqError`."""
    for name in _classes(folder):
        if name not in classes:
            raise CrqError(
                f"{folder / name} is a class that the training split lacks; its classes: {', '.join(classes)}"
            )
    paths = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).glob("*.wav"))]
    if not paths:
        raise CrqError(f"{folder} has no WAV files; expected a folder of them for each class")
    labels = np.array([label for _, label in paths], np.int64)
    return Raw(np.stack([front(path) for path, _ in paths]), labels, str(folder), classes=tuple(classes))

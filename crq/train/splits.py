"""The splits of a recipe's data section, whatever the data are: images as bytes, or real values."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from crq import importing
from crq.errors import CrqError
from crq.train import images
from crq.train.image_files import ImageFiles
from crq.train.images import ImageData
from crq.train.sections import Data, Sound
from crq.train.sources import arrays, functions, sounds, tables
from crq.train.sources.benchmarks import BENCHMARKS
from crq.train.sources.logmel import LogMel
from crq.train.sources.raw import Parts, Raw, check_scale
from crq.train.sources.targets import Kind, as_classes, as_numbers, class_names, output_names, tells_classes
from crq.train.sources.values import ValueData, real_values

AnyData = ImageData | ImageFiles | ValueData
SPLITS = ("train", "test", "fit", "val", "all")
_VALIDATION, _TEST_SEED = 0.1, 2


class Source:
    """Where a data section's splits come from. kind: what the loss compares with. bare: samples without such labels are
    taken too; where the loss compares numbers, theirs are then no floats.

    Splits: train, test, val and fit (those held out of train, and the others), and of data in one piece all.
    """

    def __init__(self, section: Data, kind: Kind = "classes", bare: bool = False) -> None:
        self.section, self.kind, self.bare = section, kind, bare
        self.parts = _parts(section)
        self._read: dict[str, Raw] = {}

    @property
    def has_validation(self) -> bool:
        """Whether the data have held-out samples of their own."""
        return self.parts is not None and "val" in self.parts

    def split(self, name: str) -> AnyData:
        """The samples of a split; raises `CrqError` for one that the data do not have."""
        if name not in SPLITS:
            raise CrqError(f"split {name!r} of {self.section.name}: expected one of {', '.join(SPLITS)}")
        if self.parts is None:
            return self._images(name)
        if name == "all" and "all" not in self.parts:
            raise CrqError(
                f"{self.section.name} has the splits {', '.join(self.parts)}; it is not in one piece: name one"
            )
        if name in ("fit", "val") and not self.has_validation:
            return images.holdout(self.split("train"), _VALIDATION)[name == "val"]
        name = "train" if name == "fit" else name
        if name in self.parts:
            return self._made(name)
        if "all" in self.parts:
            return images.holdout(self._made("all"), self.section.test, _TEST_SEED)[name == "test"]
        known = ", ".join(self.parts)
        raise CrqError(f"{self.section.name} has no split {name}, only {known}: add it beside them")

    def _images(self, split: str) -> AnyData:
        section = self.section
        if self.kind in ("numbers", "bits") and not self.bare:
            raise CrqError(
                f"{section.name} are images by class, and this loss compares numbers: use cross_entropy, data with "
                'numbers as labels, or target = "input" for an autoencoder'
            )
        if section.size is not None:
            if section.root is None:
                raise CrqError("data.size needs data.root: the folder that holds train/ and test/")
            return images.open_files(f"{section.name}:{split}", section.root, section.size)
        root = images.fetch(section.name, section.root) if section.download else section.root
        found = images.load(f"{section.name}:{split}", root)
        _no_table(section, None)  # of data that are not there it would be the wrong thing to say
        return found

    def _raw(self, part: str) -> Raw:
        assert self.parts is not None
        if part not in self._read:
            raw = self.parts[part]()
            for read in self._read.values():
                check_scale(raw.where, raw.values, read.where, read.values)
            unmarked = self.kind == "marks" and not tells_classes(raw)
            self._read[part] = replace(raw, labels=None) if unmarked else raw
        return self._read[part]

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        assert self.parts is not None
        return class_names(self._raw(next(name for name in ("train", "all", *self.parts) if name in self.parts)))

    def _made(self, part: str) -> ImageData | ValueData:
        raw = self._raw(part)
        classes = (self._classes or class_names(raw)) if self.kind in ("classes", "marks") else ()
        if self.kind == "marks":  # a machine that fails need not have done so in training
            classes = (*classes, *(name for name in class_names(raw) if name not in classes))
        kind: Kind = "marks" if self.bare and raw.labels is None else self.kind
        return from_raw(raw, self.section.name, kind, classes, self.section.shape)


def from_raw(
    raw: Raw, name: str, kind: Kind, classes: tuple[str, ...] = (), shape: tuple[int, ...] | None = None
) -> ImageData | ValueData:  # fmt: skip
    """The samples of `raw` in `shape`, their labels of that kind: bytes by class as images, all others as values.

    Samples without labels have no classes, whatever those of the other splits are.
    """
    values = torch.from_numpy(np.ascontiguousarray(_shaped(raw, shape)))
    if kind in ("numbers", "bits"):
        return ValueData(real_values(values), as_numbers(raw, kind), output_names(raw), name)
    labels, classes = as_classes(raw, classes), classes if raw.labels is not None else ()
    if values.dtype == torch.uint8 and values.dim() > 2:
        return ImageData(values, labels, classes, name)
    return ValueData(real_values(values), labels, classes, name)


def load_split(section: Data, split: str, kind: Kind = "classes", bare: bool = False) -> AnyData:
    """One split of a data section; see `Source`."""
    return Source(section, kind, bare).split(split)


def _shaped(raw: Raw, shape: tuple[int, ...] | None) -> np.ndarray:
    values = raw.values
    if shape is None:
        return values
    if min(shape) < 1 or math.prod(shape) != math.prod(values.shape[1:]):
        raise CrqError(
            f"data.shape {list(shape)} has {math.prod(shape)} values; a sample of {raw.where} has shape "
            f"{list(values.shape[1:])}, {math.prod(values.shape[1:])} values"
        )
    return values.reshape(len(values), *shape)


def _parts(section: Data) -> Parts | None:
    """The parts of data that are no images of `crq.train.images`."""
    name, label = section.name, section.label_column
    columns = tables.Features(section.columns, section.skip_columns)
    if section.size is not None:
        return _no_table(section, None)
    if importing.is_function(name):
        return _no_table(section, functions.parts(name, section.options))
    path = Path(section.root, name) if section.root is not None and Path(name).suffix else Path(name)
    if path.suffix == ".npz":
        return _no_table(section, arrays.npz_parts(path))
    if path.suffix == ".npy":
        return _no_table(section, arrays.npy_parts(path, section.label_file))
    if path.name.lower().endswith(tables.ENDINGS):
        return tables.file_parts(path, label, columns)
    if name in BENCHMARKS:
        return _no_table(section, BENCHMARKS[name](_home(section), front(section.sound), section.options))
    folder = Path(section.root or name)
    if not folder.is_dir():
        return None
    if sounds.is_folder(folder):
        return _no_table(section, sounds.folder_parts(folder, front(section.sound)))
    if found := arrays.folder_parts(folder):
        return _no_table(section, found)
    return tables.folder_parts(folder, label, columns) or _no_table(section, None)


def _no_table(section: Data, parts: Parts | None) -> Parts | None:
    """`parts`; raises `CrqError` where the section says something of a table's columns."""
    for key in ("label_column", "columns", "skip_columns"):
        if getattr(section, key):
            raise CrqError(f"data.{key} is of tables, and {section.name} is none: leave it out")
    return parts


def _home(section: Data) -> Path:
    """The folder of a benchmark, which is fetched where the section says so."""
    if section.download:
        return images.fetch(section.name, section.root)
    places = [Path(section.root)] if section.root is not None else images.places_of(section.name)
    return next((place for place in places if place.is_dir()), places[0])


def front(sound: Sound) -> sounds.Front:
    """The front end that a recipe's section describes; raises `CrqError` for one that gives nothing."""
    samples = round(sound.seconds * sound.rate)
    if sound.features == "waveform":
        return sounds.Front(sound.rate, samples, None)
    window, hop = round(sound.window * sound.rate), max(1, round(sound.hop * sound.rate))
    fft = sound.fft or 1 << max(1, (window - 1).bit_length())
    high = sound.rate / 2 if sound.high is None else sound.high
    if not 1 <= window <= min(samples, fft):
        raise CrqError(
            f"data.sound: a window of {window} samples in a clip of {samples}, with an FFT of {fft}; expected a "
            "window that fits both: change window, seconds or fft"
        )
    if not sound.low < high <= sound.rate / 2:
        raise CrqError(f"data.sound: bands from {sound.low:g} to {high:g} Hz; expected low < high ≤ {sound.rate / 2:g}")
    mel = LogMel(sound.rate, window, hop, fft, sound.mels, sound.low, high, sound.floor)
    return sounds.Front(sound.rate, samples, mel)

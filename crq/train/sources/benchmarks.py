"""The field's benchmarks as samples: jet tagging, UNSW-NB15, keywords, wake words, a toy car that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from crq.errors import CrqError
from crq.train import image_files
from crq.train.sources import arrays, tables
from crq.train.sources.raw import Parts, Raw, numbers
from crq.train.sources.sounds import Front, read

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
KEYWORDS = ("silence", "unknown", *WORDS)
_LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}


def jets(folder: Path, front: Front, options: Mapping[str, Any]) -> Parts:
    """OpenML 42468: 16 features, 5 classes; in one piece, as ARFF, CSV or Parquet."""
    path = next((p for e in tables.ENDINGS for p in sorted(folder.glob(f"*jet*{e}"))), None)
    if path is None:
        raise _missing(folder, "a table of jets (*jet*.arff, .csv or .parquet)")
    label = next((name for name in tables.load(path).columns if name.lower() in ("jet_type", "class", "label")), None)
    return tables.file_parts(path, label)


def unsw(folder: Path, front: Front, options: Mapping[str, Any]) -> Parts:
    """UNSW-NB15 as FINN and LogicNets binarized it: 593 bits, 0 and 1, and whether it is an attack."""
    path = folder / "unsw_nb15_binarized.npz"
    if not path.is_file():
        raise _missing(folder, path.name)
    return {split: partial(_unsw, path, split) for split in ("train", "test")}


def _unsw(path: Path, split: str) -> Raw:
    try:
        with arrays.opened(path) as file:
            rows = file[split]
    except arrays.DAMAGED as error:
        raise CrqError(f"{path}: its array {split} cannot be read: {error}; fetch the file again") from error
    if rows.ndim != 2 or rows.shape[1] < 2 or rows.dtype.kind not in "iufb":
        raise CrqError(
            f"{path}: its array {split} has shape {rows.shape} and type {rows.dtype}; expected rows of bits and a "
            "label, numbers: fetch the file again"
        )
    values = numbers(rows[:, :-1].astype(np.float32), str(path))
    return Raw(values, rows[:, -1], f"{path}, {split}", classes=("normal", "attack"))


def speech_commands(folder: Path, front: Front, options: Mapping[str, Any]) -> Parts:
    """Speech Commands v0.02 as 12 classes: ten words, silence, and all other words as unknown.

    Silence and unknown get as many clips as a word has on average: other words by a permutation, silence by cuts of
    the background noise at random loudness, both the same in every run.
    """
    if not all((folder / name).is_file() for name in _LISTS.values()):
        raise _missing(folder, f"a folder for each word, {' and '.join(_LISTS.values())}")
    return {split: partial(_keywords, folder, split, front) for split in ("train", "val", "test")}


def _keywords(folder: Path, split: str, front: Front) -> Raw:
    lists = {name: set((folder / file).read_text().split()) for name, file in _LISTS.items()}
    every = sorted(p for p in folder.glob("*/*.wav") if not p.parent.name.startswith("_"))
    listed = [p for p in every if _split_of(f"{p.parent.name}/{p.name}", lists) == split]
    known = [p for p in listed if p.parent.name in WORDS]
    if not known:
        raise _missing(folder, f"clips of the words {', '.join(WORDS)} in the split {split}")
    others = [p for p in listed if p.parent.name not in WORDS]
    rng = np.random.default_rng(("train", "val", "test").index(split))
    count = math.ceil(len(known) / len(WORDS))
    chosen = [others[i] for i in sorted(rng.permutation(len(others))[:count])]
    noises = [read(p, front.rate) for p in sorted((folder / "_background_noise_").glob("*.wav"))]
    noises = [noise for noise in noises if len(noise) >= front.samples]
    clips = [front(p) for p in (*chosen, *known)]
    for _ in range(count if noises else 0):
        noise = noises[rng.integers(len(noises))]
        start = rng.integers(len(noise) - front.samples + 1)
        clips.append(front.features(noise[start : start + front.samples] * rng.uniform()))
    labels = [1] * len(chosen) + [KEYWORDS.index(p.parent.name) for p in known]
    labels += [0] * (len(clips) - len(labels))
    return Raw(np.stack(clips), np.array(labels, np.int64), f"{folder}, {split}", classes=KEYWORDS)


def _split_of(name: str, lists: Mapping[str, set[str]]) -> str:
    return next((split for split, names in lists.items() if name in names), "train")


def wake_words(folder: Path, front: Front, options: Mapping[str, Any]) -> Parts:
    """Visual wake words of MLPerf Tiny: vw_coco2014_96 with pictures 96×96 of a person or none; in one piece."""
    root = folder / "vw_coco2014_96"
    if not root.is_dir():
        raise _missing(folder, "vw_coco2014_96/person and vw_coco2014_96/non_person")
    return {"all": partial(_pictures, root)}


def _pictures(root: Path) -> Raw:
    paths, labels, classes = image_files.listing(root.parent, root.name)
    pixels = [np.asarray(image_files.read(path, ("RGB",))).transpose(2, 0, 1) for path in paths]
    for path, picture in zip(paths, pixels, strict=True):
        if picture.shape != pixels[0].shape:
            raise CrqError(f"{path} is {picture.shape}, the pictures before it are {pixels[0].shape}; fetch it again")
    return Raw(np.stack(pixels), labels.numpy(), str(root), classes=classes)


def toycar(folder: Path, front: Front, options: Mapping[str, Any]) -> Parts:
    """ToyADMOS ToyCar: windows of `frames` log-mel frames, one every `step`; normal in training, both in the test.

    A sample is [frames · mels], frame by frame.
    """
    root = folder / "ToyCar"
    if not root.is_dir():
        raise _missing(folder, "ToyCar/train and ToyCar/test")
    unknown = sorted(set(options) - {"frames", "step"})
    if unknown:
        raise CrqError(f"toycar has no option {unknown[0]!r}; its options are frames and step (data.options)")
    frames, step = int(options.get("frames", 5)), int(options.get("step", 5))
    return {split: partial(_windows, root / split, front, frames, step) for split in ("train", "test")}


def _windows(folder: Path, front: Front, frames: int, step: int) -> Raw:
    paths = [*sorted(folder.glob("normal_*.wav")), *sorted(folder.glob("anomaly_*.wav"))]
    if not paths:
        raise _missing(folder, "normal_id_….wav and, in test, anomaly_id_….wav")
    samples, labels = [], []
    for path in paths:
        picture = front(path)[0].T
        starts = range(0, len(picture) - frames + 1, step)
        samples += [picture[start : start + frames].reshape(-1) for start in starts]
        labels += [int(path.name.startswith("anomaly"))] * len(starts)
    if not samples:
        raise CrqError(f"{folder}: clips of {front.samples} samples give fewer than {frames} frames: set data.sound")
    return Raw(np.stack(samples), np.array(labels), str(folder), classes=("normal", "anomaly"))


def _missing(folder: Path, what: str) -> CrqError:
    return CrqError(
        f"{folder} lacks {what}: set CRQ_DATA or data.root to its folder, or let crq train fetch it (--download, or "
        "data.download = true in the recipe)"
    )


HEARD = ("speech-commands", "toycar")
"""Those that a front end makes of sound."""
BENCHMARKS: Mapping[str, Callable[[Path, Front, Mapping[str, Any]], Parts]] = {
    "jets": jets,
    "unsw-nb15": unsw,
    "speech-commands": speech_commands,
    "vww": wake_words,
    "toycar": toycar,
}

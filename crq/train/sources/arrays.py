"""NumPy files: .npz with named arrays, .npy with a labels file. Nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from crq.errors import CrqError
from crq.train.sources.raw import Parts, Raw, existing, numbers

NAMES = "x and y, or x_train, y_train, x_test, y_test and perhaps x_val, y_val"
CODES = "codes"
_SPLITS = ("train", "test", "val")
DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
"""What reading a file that is none of NumPy's, or a part of one, raises."""


def npz_parts(path: Path) -> Parts:
    """The splits of an .npz file with arrays called `NAMES`, or of input `codes`, whatever their case; y may be
    missing."""
    names = _names(existing(path))
    if "x" in names:
        return {"all": partial(_from_npz, path, names, "")}
    if CODES in names:
        return {"all": partial(_from_npz, path, {"x": names[CODES]}, "")}
    found = {split: partial(_from_npz, path, names, f"_{split}") for split in _SPLITS if f"x_{split}" in names}
    if not found:
        held = ", ".join(names.values()) or "nothing"
        raise CrqError(f"{path} holds {held}; expected arrays {NAMES}: save it with np.savez(file, x=…, y=…)")
    return found


def holds_codes(path: Path) -> bool:
    """Whether an .npz file has a network's input codes in place of samples, as the files of integers to compare do."""
    return path.suffix == ".npz" and CODES in (names := _names(existing(path))) and "x" not in names


def npy_parts(path: Path, labels: str | None) -> Parts:
    """An .npy file of samples and its file of labels: `labels`, or `labels_file` beside it if that is there."""
    beside = Path(labels) if labels is not None else labels_file(existing(path))
    return {"all": partial(_from_npy, existing(path), beside if labels or beside.is_file() else None)}


def folder_parts(folder: Path) -> Parts:
    """The splits x_train.npy, y_train.npy, x_test.npy, … of a folder."""
    found = {split: folder / f"x_{split}.npy" for split in _SPLITS if (folder / f"x_{split}.npy").is_file()}
    return {split: partial(_from_npy, path, labels_file(path)) for split, path in found.items()}


def labels_file(path: Path) -> Path:
    """Where the labels of an .npy file lie: x….npy has y….npy, any other NAME.npy has NAME_labels.npy."""
    name = f"y{path.name[1:]}" if path.name[0] in "xX" else f"{path.stem}_labels.npy"
    return path.with_name(name)


def opened(path: Path) -> NpzFile:
    """An .npz file, whose arrays are read when they are asked for; raises one of `DAMAGED` for other files."""
    found = np.load(path, allow_pickle=False)
    if isinstance(found, np.ndarray):
        raise ValueError("it holds one array without a name, as .npy files do")
    return cast(NpzFile, found)


def _names(path: Path) -> Mapping[str, str]:
    """The file's names by their lower case."""
    try:
        with opened(path) as file:
            found = sorted(file.files)
    except DAMAGED as error:
        raise CrqError(f"{path} is no .npz file or is damaged: {error}; save it again with np.savez") from error
    names = {name.lower(): name for name in found}
    if twice := [name for name in found if names[name.lower()] != name]:
        raise CrqError(
            f"{path} holds {twice[0]} and {names[twice[0].lower()]}, which are one name here; leave one of them out"
        )
    return names


def _from_npz(path: Path, names: Mapping[str, str], suffix: str) -> Raw:
    x, y = (names.get(f"{name}{suffix}") for name in "xy")
    assert x is not None
    try:
        with opened(path) as file:
            values, labels = file[x], None if y is None else file[y]
    except DAMAGED as error:
        raise _unreadable(path, f"{x} and {y}", error) from error
    return Raw(numbers(values, f"{path}, {x}"), labels, f"{path}, {x}")


def _from_npy(path: Path, labels: Path | None) -> Raw:
    if labels is not None and not labels.is_file():
        raise CrqError(
            f"{path}: its labels {labels} do not exist; name their file (data.label_file), or save them there"
        )
    return Raw(numbers(_load(path), str(path)), None if labels is None else _load(labels), str(path))


def _load(path: Path) -> NDArray[Any]:
    try:
        found = np.load(path, allow_pickle=False)
    except DAMAGED as error:
        raise _unreadable(path, "its array", error) from error
    if not isinstance(found, np.ndarray):
        raise CrqError(f"{path} holds several arrays, as .npz files do; expected one: rename the file, or np.save one")
    return found


def _unreadable(path: Path, what: str, error: Exception) -> CrqError:
    pickled = "pickle" in str(error)
    reason = "Python objects are not read: save numbers, or text of a fixed width" if pickled else str(error)
    return CrqError(f"{path}: {what} cannot be read: {reason}")

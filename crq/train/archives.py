"""The benchmarks' files fetched into a folder: checked against a published hash, or pinned by their first download."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from crq.errors import CrqError
from crq.files import atomic_path, sha256, write_text
from crq.train.download import download


class Archive(NamedTuple):
    """url: the file. md5: as published, or None: its SHA-256 is then written beside it (FILE.sha256) at the first
    download, and later downloads are held to that. holds: a pattern of what is in the folder once it is complete.
    openml: a data set's number there; url and md5 are then what OpenML says of it.
    """

    url: str
    holds: str
    md5: str | None = None
    openml: int | None = None

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return self.url.rpartition("/")[2] if self.openml is None else f"hls4ml_jets_{self.openml}.arff"


_ZENODO = "https://zenodo.org/records"
ARCHIVES = {
    "jets": Archive("https://www.openml.org/api/v1/json/data/42468", "*jet*.*", openml=42468),
    "unsw-nb15": Archive(f"{_ZENODO}/4519767/files/unsw_nb15_binarized.npz", "unsw_nb15_binarized.npz"),
    "speech-commands": Archive(
        "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        "testing_list.txt",
        "6b74f3901214cb2c2934e98196829835",  # as torchaudio publishes it
    ),
    "vww": Archive(
        "https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/vw_coco2014_96.tar.gz",
        "vw_coco2014_96",
    ),
    "toycar": Archive(f"{_ZENODO}/3678171/files/dev_data_ToyCar.zip", "ToyCar"),
}


def fetch(name: str, folder: Path, console: Console | None = None) -> None:
    """Complete the benchmark `name` in `folder`, archives unpacked; nothing is fetched where it is complete.

    Raises `CrqError` with the address and the folder for what cannot be fetched, or is not what it should be.
    """
    archive = ARCHIVES[name]
    if any(folder.glob(archive.holds)):
        return
    shown = console or Console(stderr=True)
    if archive.openml is not None:
        archive = _described(archive, folder, shown)
    target = folder / archive.file
    users = target.is_file()  # put there by hand: checked and used, and left where it is
    if users:
        _check(archive, target, target)
    else:
        with atomic_path(target) as path:
            download(archive.url, path, target, shown)
            _check(archive, path, target)
    unpack = _unpacker(target)
    if unpack is not None:
        _unpack(unpack, target)
        if not users:
            target.unlink()


def _described(archive: Archive, folder: Path, console: Console) -> Archive:
    """What OpenML says of a data set: the address of its ARFF file and the MD5."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "description.json"
        download(archive.url, path, folder / archive.file, console)
        try:
            said = json.loads(path.read_text(encoding="utf-8"))["data_set_description"]
            url, md5 = str(said["url"]), str(said["md5_checksum"])
        except (ValueError, KeyError, TypeError) as error:
            raise CrqError(f"{archive.url} is no description of a data set: {error}; fetch its file by hand") from error
    return archive._replace(url=url, md5=md5)


def _check(archive: Archive, path: Path, target: Path) -> None:
    kept = "Remove the file, or put the right one there" if path == target else "Nothing was kept; try again"
    if archive.md5 is not None:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        if found != archive.md5:
            raise CrqError(f"{archive.url} has MD5 {found}, expected {archive.md5}: damaged or replaced. {kept}")
        return
    pin, found = target.with_name(f"{target.name}.sha256"), sha256(path)
    if not pin.is_file():
        write_text(pin, f"{found}\n")
    elif (wanted := pin.read_text().strip()) != found:
        raise CrqError(
            f"{archive.url} has SHA-256 {found}, at its first download it had {wanted}: damaged or replaced. {kept}, "
            f"or remove {pin} to take the new file"
        )


def _unpacker(target: Path) -> Callable[[Path], None] | None:
    def tar(to: Path) -> None:
        with tarfile.open(target) as opened:
            opened.extractall(to, filter="data")

    def zipped(to: Path) -> None:
        with zipfile.ZipFile(target) as opened:
            opened.extractall(to)

    return {".gz": tar, ".zip": zipped}.get(target.suffix)


def _unpack(unpack: Callable[[Path], None], target: Path) -> None:
    """All of an archive beside it; nothing of a damaged one."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as scratch:
        try:
            unpack(Path(scratch))
        except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise CrqError(f"{target} cannot be unpacked: {error}; remove it and fetch it again") from error
        # What tells that the folder is complete is a name in the archive, so that order does not matter within it.
        for entry in Path(scratch).iterdir():
            if not (target.parent / entry.name).exists():
                shutil.move(entry, target.parent / entry.name)

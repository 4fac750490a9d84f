"""Public data sets fetched into a folder: checked against their published MD5, whole or absent."""

from __future__ import annotations

import hashlib
import http.client
import tarfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from crq.errors import CrqError
from crq.files import atomic_path

_PIECE = 1 << 18
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Source:
    """Where a data set lies. files: (name at `base`, MD5). members: what a tar archive holds that is kept."""

    base: str
    files: tuple[tuple[str, str], ...]
    members: tuple[str, ...] = ()

    def missing(self, folder: Path) -> list[tuple[str, str]]:
        """The files to fetch so that `folder` is complete; an IDX file may lie there unpacked."""
        if self.members:
            return [] if all((folder / member).exists() for member in self.members) else list(self.files)
        return [(name, md5) for name, md5 in self.files if not any((folder / n).exists() for n in (name, name[:-3]))]


# The MD5s are those that the data sets' own pages and torchvision publish.
SOURCES = {
    "mnist": Source(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        (
            ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    ),
    "fashion-mnist": Source(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        (
            ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
    ),
    "cifar10": Source(
        "https://www.cs.toronto.edu/~kriz/",
        (("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),),
        (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
    ),
}


def fetch(name: str, folder: Path, console: Console | None = None) -> None:
    """Complete the data set `name` in `folder`; what is there already is left alone.

    Progress goes to `console` (standard error by default). Raises `CrqError` with the address and the folder when a
    file cannot be fetched or is not what it should be.
    """
    source = SOURCES[name]
    for file, md5 in source.missing(folder):
        target = folder / file
        with atomic_path(target) as path:
            download(source.base + file, path, target, console or Console(stderr=True))
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "md5").hexdigest()
            if found != md5:
                raise CrqError(
                    f"{source.base}{file} has MD5 {found}, expected {md5}: the transfer was damaged or the file "
                    f"replaced. Nothing was kept; try again, or put {file} into {folder} by hand"
                )
        if source.members:
            _unpack(target, source.members)
            target.unlink()


def download(url: str, path: Path, target: Path, console: Console) -> None:
    """The file at `url` as `path`, called `target` on the bar and in errors."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    request = urllib.request.Request(url, headers={"User-Agent": "crq"})
    try:
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT) as answer,
            path.open("wb") as file,
            Progress(*columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console) as progress,
        ):
            length = answer.headers.get("Content-Length")
            task = progress.add_task(target.name, total=int(length) if length else None)
            while piece := answer.read(_PIECE):
                file.write(piece)
                progress.update(task, advance=len(piece))
    except (OSError, http.client.HTTPException) as error:
        raise CrqError(
            f"{url} cannot be downloaded: {error}. Without a network, fetch {target.name} elsewhere and put it (a "
            f".tar.gz unpacked) into {target.parent}"
        ) from error


def _unpack(archive: Path, members: tuple[str, ...]) -> None:
    """The named files of `archive`, wherever in it they lie, beside it."""
    with tarfile.open(archive) as tar:
        for entry in tar:
            name = Path(entry.name).name
            content = tar.extractfile(entry) if name in members else None
            if content is not None:
                with atomic_path(archive.parent / name) as path:
                    path.write_bytes(content.read())

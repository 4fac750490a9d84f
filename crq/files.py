"""Files that are either whole or absent: written beside the target, then renamed."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crq.errors import CrqError

if TYPE_CHECKING:
    from numpy.typing import NDArray


_ELSEWHERE = (
    errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.ENOENT, errno.EACCES, errno.EPERM,
    errno.ENAMETOOLONG, errno.EROFS,
)  # fmt: skip
"""What another path would not have."""


class Unwritable(CrqError, OSError):
    """A path that cannot be written, where another can."""


def temporary_beside(target: Path) -> Path:
    """A path in `target`'s folder for what will be renamed to it; what a killed process left under such names goes."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.crq-*"):
        number = re.match(r"(\d+)-", left.name.rpartition(".crq-")[2])
        if number and not _is_running(int(number[1])):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    return target.with_name(f".{target.name}.crq-{os.getpid()}-{uuid.uuid4().hex[:8]}{target.suffix}")


def target_of(path: str) -> str:
    """What the temporary file or folder at `path` would have become; any other path as it is."""
    folder, name = os.path.split(path)
    found = re.fullmatch(r"\.(.+)\.crq-\d+-[0-9a-f]{8}(\.[^.]*)?", name)
    return os.path.join(folder, found[1]) if found else path


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


@contextlib.contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in `target`'s folder, which is made; what is written there becomes `target`.

    On an exception it is removed and `target` stays as it was. Raises `Unwritable` where that cannot be written.
    """
    target = Path(target)
    with _told(target, target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not mkstemp: its files are private, and only the whole process's umask, which threads share, tells the usual
        # mode.
        temporary = temporary_beside(target)
    try:
        with _told(target, temporary):
            yield temporary
            temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(target: Path, place: Path) -> Iterator[None]:
    """Inside, what the system says of `place`, or of a folder that it is in, is said of `target`, with a remedy."""
    try:
        yield
    except OSError as error:
        about = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        if error.errno not in _ELSEWHERE or about is None or about not in (place, *place.parents):
            raise
        file = next((folder for folder in target.parents if os.path.isfile(folder)), None)
        reason = f"{file} is a file" if file else "it is a folder" if os.path.isdir(target) else error.strerror
        raise Unwritable(f"{target} cannot be written: {reason}; choose another path") from error


def write_text(target: str | os.PathLike[str], text: str) -> Path:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(target) as path:
        path.write_text(text, encoding="utf-8")
    return Path(target)


def write_arrays(target: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write a compressed .npz file of named arrays, atomically."""
    import numpy as np  # whoever writes text only need not wait for it

    with atomic_path(target) as path, path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return Path(target)


def write_json(target: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN and infinity are errors: JSON has no such numbers."""
    write_text(target, json.dumps(value, indent=2, allow_nan=False) + "\n")


def sha256(path: str | os.PathLike[str]) -> str:
    """Hex SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def empty_folder(path: str | os.PathLike[str]) -> Path:
    """Create `path` and return it; raises `CrqError` if it holds something or cannot be written into."""
    folder = Path(path)
    try:
        if folder.exists() and not folder.is_dir():
            raise CrqError(f"{folder} is a file; expected a folder to write into: choose another output path")
        if folder.is_dir() and any(folder.iterdir()):
            raise CrqError(f"output folder {folder} is not empty: choose another one or remove it first")
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CrqError(
            f"output folder {folder} cannot be written: {error.strerror}; choose another output path"
        ) from error
    return folder

"""Files that are either whole or absent: write beside the target, then rename."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crq.errors import CrqError


@contextlib.contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in `target`'s folder; on success it becomes `target`, on an exception it is removed."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes the file private; a result should be as readable as any file the user creates.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(target) as path:
        path.write_text(text, encoding="utf-8")


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

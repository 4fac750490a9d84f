"""Files that are either whole or absent: written beside the target, then renamed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_text(path: str | PathLike[str], text: str) -> Path:
    """Writes a file whole or not at all; makes its folder."""
    with _beside(Path(path)) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_arrays(path: str | PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Writes a compressed .npz file of named arrays, whole or not at all; makes its folder."""
    with _beside(Path(path)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return Path(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)

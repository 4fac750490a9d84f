"""Files that are either whole or absent: written beside the target, then renamed."""

from __future__ import annotations

import os
import threading
from os import PathLike
from pathlib import Path


def write_text(path: str | PathLike[str], text: str) -> Path:
    """Writes a file whole or not at all; makes its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path

"""The folder a project goes to."""

from __future__ import annotations

from pathlib import Path

from hw.errors import HwError
from hw.hls.manifest import FILE


def check_target(target: Path, replace: bool) -> None:
    """Raises `HwError` unless `target` is free: absent or empty, or, with `replace`, a project written before."""
    if target.is_file():
        raise HwError(f"{target}: is a file; expected a folder for the project")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not replace:
        raise HwError(f"{target}: folder is not empty; choose another, or remove it first")
    if not (target / FILE).is_file():
        raise HwError(f"{target}: folder is not empty and holds no crq project; choose another, or remove it first")

"""A project's folder: what in it is the product's own, and how one takes the place of another.

Nothing is deleted but files that the product wrote and nobody changed since: those in the manifest's list, and what
later commands put there (`own`), recorded in build/own.json.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

from crq.files import sha256, write_json
from crq.hw.errors import HwError
from crq.hw.forms.manifest import FILE, Manifest

OWN = Path("build") / "own.json"
_RECORDING = threading.Lock()


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in `folder` by its path in it, as a manifest lists them; the manifest is not in it."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): sha256(path) for path in files if path != folder / FILE}


def own(folder: Path, path: Path, instead_of: Collection[Path] = ()) -> None:
    """Record `path` in the project `folder` as written by the product; of `instead_of`, what is recorded is deleted."""
    with _RECORDING:
        found = _recorded(folder)
        for old in instead_of:
            name = str(old.relative_to(folder))
            if old.is_file() and found.get(name) == sha256(old):
                old.unlink(missing_ok=True)
                del found[name]
        write_json(folder / OWN, {**found, str(path.relative_to(folder)): sha256(path)})


def _recorded(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / OWN).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def foreign(folder: Path) -> list[str]:
    """What lies in `folder` that the product did not write, or not like this; paths in it, sorted."""
    try:
        listed = dict(Manifest.read(folder / FILE).files)
    except (OSError, HwError):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())
    known, found = {**_recorded(folder), **listed}, hashes(folder)
    links = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_symlink()]
    return sorted([*links, *(name for name, digest in found.items() if known.get(name) != digest and name != str(OWN))])


def check_target(target: Path, replace: bool) -> None:
    """Raises `HwError` unless `target` is free: absent or empty, or, with `replace`, a project as it was built."""
    settle(target)
    if target.is_file():
        raise HwError(f"{target}: is a file; expected a folder for the project")
    if not target.is_dir() or not any(target.iterdir()):
        return
    if not replace:
        raise HwError(f"{target}: folder is not empty; choose another, or remove it first")
    if not (target / FILE).is_file():
        raise HwError(f"{target}: folder is not empty and holds no crq project; choose another, or remove it first")
    if others := foreign(target):
        raise HwError(
            f"{target}: holds what crq did not write, or what was changed since ({named(others)}); choose another "
            "folder, or move this one away"
        )


def named(paths: list[str]) -> str:
    """A few of `paths`, and how many there are."""
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3:,} more" if len(paths) > 3 else "")


def put(work: Path, target: Path) -> Path | None:
    """The folder `work` becomes `target`; a project that was there is deleted if all of it is the product's own.

    Otherwise it is kept beside it, and its new path returned, as is that of one that an interrupted `put` left. At any
    moment the old or the new folder is whole, if need be under the hidden name that `settle` looks for.
    """
    kept = settle(target)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(work, target)
        return kept
    aside = _aside(target)
    os.rename(target, aside)
    try:
        os.rename(work, target)
    except BaseException:
        os.rename(aside, target)
        raise
    return _give_way(aside, target) or kept


def settle(target: Path) -> Path | None:
    """What an interrupted `put` left: the old folder returns where there is no new one, or gives way to the new one.

    The path where it is kept, if it holds what the product did not write.
    """
    aside = _aside(target)
    if not aside.exists():
        return None
    if not target.exists():
        os.rename(aside, target)
        return None
    return _give_way(aside, target)


def _give_way(aside: Path, target: Path) -> Path | None:
    """The old folder is deleted if all of it is the product's own; otherwise it gets a name beside `target`."""
    if aside.is_dir() and not foreign(aside):
        shutil.rmtree(aside)
        return None
    number = 1
    while (kept := target.with_name(f"{target.name}.old{number}")).exists():
        number += 1
    os.rename(aside, kept)
    return kept


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.replaced")

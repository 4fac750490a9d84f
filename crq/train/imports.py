"""Objects that a user names by import path, `module:name`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from crq.errors import CrqError, nearest


def named(path: str, what: str) -> Any:
    """The object at `module:name`, the module being importable or a file of the current folder.

    what: for errors, where the path stands. Raises `CrqError` naming it, with what the module has instead.
    """
    module_name, found, name = path.partition(":")
    if not (found and module_name and name):
        raise CrqError(f"{what}: {path!r} must be module:name, for example mylab.training:Snapshots")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise CrqError(
            f"{what}: {path!r} needs the module {error.name}, which is not found. Install it, or run crq in the folder "
            "that holds it"
        ) from error
    if not hasattr(module, name):
        known = [key for key in vars(module) if not key.startswith("_")]
        raise CrqError(f"{what}: module {module_name} has no {name!r}{nearest(name, known)}")
    return getattr(module, name)

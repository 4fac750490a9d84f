"""Checkpoint files: written whole or not at all, read with errors that name them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from crq.errors import CrqError
from crq.files import atomic_path

# What torch.load raises on damaged files.
_DAMAGED = (OSError, EOFError, RuntimeError, KeyError, TypeError, ValueError, pickle.UnpicklingError)


def save(state: Any, target: Path) -> None:
    """torch.save, atomically."""
    with atomic_path(target) as path:
        torch.save(state, path)


def restore(source: Path) -> dict[str, Any]:
    """The state that `save` or Lightning wrote to `source`; raises `CrqError` naming the file if it is damaged."""
    try:
        state = torch.load(source, weights_only=True, map_location="cpu")
        if not isinstance(state, dict):
            raise TypeError(f"it holds {type(state).__name__}")
    except _DAMAGED as error:
        # torch's own words are of pickles and zip archives, and many.
        raise CrqError(f"checkpoint {source} is damaged: remove it and resume to train that phase again") from error
    return state

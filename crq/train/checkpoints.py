"""Checkpoint files: written whole or not at all, read with errors that name them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

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


def check_fits(module: nn.Module, state: dict[str, Any], source: Path) -> None:
    """Raise `CrqError` naming the file unless `state` is one of `module`: the same names and shapes of tensors."""
    wanted = module.state_dict()
    wrong = sorted(set(wanted) ^ set(state)) or [
        name for name, value in wanted.items() if getattr(state[name], "shape", None) != value.shape
    ]
    if wrong:
        raise CrqError(
            f"checkpoint {source} does not fit the network, at {wrong[0]!r}: another version of crq or of the network "
            "wrote it. Train into a new folder, or remove it and resume to train that phase again"
        )

"""What a run was made of: versions, machine, recipe, and the hashes of what went in and came out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import torch

from crq.files import sha256
from crq.train.image_files import ImageFiles
from crq.train.recipe import Recipe
from crq.train.sources.values import ValueData
from crq.train.splits import AnyData

_PACKAGES = ("crq", "torch", "pytorch-lightning", "numpy", "scikit-learn", "pydantic")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages a training run depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def data_hash(data: AnyData) -> str:
    """SHA-256 over the samples' bytes and the labels; over names and sizes of files where the images stay on disk."""
    if isinstance(data, ImageFiles):
        listing = "".join(f"{path.parent.name}/{path.name}:{path.stat().st_size}\n" for path in data.paths)
        digest = hashlib.sha256(listing.encode())
    else:
        samples = data.values if isinstance(data, ValueData) else data.images
        digest = hashlib.sha256(samples.contiguous().numpy().tobytes())
    digest.update(data.labels.numpy().tobytes())
    return digest.hexdigest()


def manifest(recipe: Recipe, data: dict[str, AnyData], folder: Path, files: list[str]) -> dict[str, Any]:
    """The content of `manifest.json`."""
    return {
        "schema": 1,
        "versions": versions(),
        "seed": recipe.seed,
        "recipe": recipe.model_dump(mode="json"),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        },
        "data": {part: {"name": d.name, "images": len(d), "sha256": data_hash(d)} for part, d in data.items()},
        "files": {file: sha256(folder / file) for file in files},
    }

"""Data of every kind for a training loop of your own: `load` takes what a recipe's `[data]` takes."""

from __future__ import annotations

import os
from typing import Any

from crq.errors import CrqError
from crq.train.images import ImageData, fetch
from crq.train.recipe import parse_data
from crq.train.sources.datasets import from_dataset
from crq.train.sources.targets import Kind
from crq.train.sources.values import ValueData
from crq.train.splits import SPLITS, AnyData, load_split

__all__ = ["ImageData", "ValueData", "fetch", "from_dataset", "load"]


def load(spec: str, root: str | os.PathLike[str] | None = None, kind: Kind = "classes", **keys: Any) -> AnyData:
    """A split of data as a Dataset: `digits:test`, `textures.npz:train`, `machines.csv:all`, `FOLDER:val`.

    spec: NAME:SPLIT, with a NAME of docs/data.md and the SPLIT train, test, fit and val (the two parts of train, 9 : 1,
    the same in every run) or all (of data in one piece). root: folder with the files; of public data by default
    $CRQ_DATA/NAME, data/NAME, or where Debian's package puts them. kind: of the labels: classes, or for losses that
    compare numbers "numbers" or "bits" (zeros and ones). keys: more of a recipe's [data], as label_column="state".

    Bytes of images are `ImageData`, whose items are (float32 byte/256, label); all other numbers `ValueData`, whose
    items are (float32 values as they are, label): standardizing them is the loop's. Raises `CrqError` naming what was
    looked for and where.
    """
    name, found, split = spec.rpartition(":")
    if not found or split not in SPLITS:
        raise CrqError(
            f"data {spec!r} must be name:split with split one of {', '.join(SPLITS)}, for example digits:test"
        )
    given = keys if root is None else {**keys, "root": os.fspath(root)}
    return load_split(parse_data({"name": name, **given}, f"data {spec}"), split, kind)

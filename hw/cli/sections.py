"""The data section that a command line means, and the task that a file was trained for."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crq.errors import CrqError

if TYPE_CHECKING:
    from crq.hw.ir.graph import Network
    from crq.train.sections import Data
    from crq.train.tasks import Task


def section_of(name: str, root: str | None, keys: tuple[str, ...] = ()) -> tuple[Data, str]:
    """The data section and the split of NAME:SPLIT, where NAME may be a recipe (.toml) or the folder of a run.

    A file without a split is taken whole.
    keys: KEY=VALUE of the section, values as in TOML, or plain text. Raises `CrqError` for what is no such thing.
    """
    from crq.train import recipe
    from crq.train.sources.tables import ENDINGS
    from crq.train.splits import SPLITS

    whole = Path(root or "", name)
    if whole.is_file() and whole.suffix != ".toml":
        known = (".npz", ".npy", *ENDINGS)
        if not whole.name.lower().endswith(known):
            raise CrqError(f"{whole} is no file of data; expected one that ends in {', '.join(known)}")
        name += ":all"
    elif ":" not in name and whole.suffix and not whole.exists():
        raise CrqError(f"{whole}: no such file; expected a file of data, or NAME:SPLIT, for example digits:test")
    name, found, split = name.rpartition(":")
    if not found or split not in SPLITS:
        raise CrqError(
            f"data {name + found + split!r} must be name:split with split one of {', '.join(SPLITS)}, for example "
            "digits:test"
        )
    values: dict[str, Any] = {"name": name}
    if (said := _recipe_in(Path(name))) is not None:
        values = recipe.load(said).data.model_dump(exclude_defaults=True)
    if root is not None:
        values["root"] = root
    for text in keys:
        key, sign, value = text.partition("=")
        if not sign:
            raise CrqError(f"--data-key {text!r}: expected KEY=VALUE, for example label_column=quality")
        *sections, last = key.split(".")
        inside = values
        for part in sections:
            inside = inside.setdefault(part, {})
            if not isinstance(inside, dict):
                raise CrqError(
                    f"--data-key {text!r}: {part} is {inside!r}, which has no keys of its own; give {part} as a whole "
                    "or by its keys, not both"
                )
        inside[last] = _value(value)
    return recipe.parse_data(values, f"--data {name}"), split


def _recipe_in(path: Path) -> Path | None:
    places = (path / "recipe.toml", path / "train" / "recipe.toml") if path.is_dir() else (path,)
    return next((place for place in places if place.suffix == ".toml" and place.is_file()), None)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def task_of(network: Network, section: Data) -> Task | None:
    """What the network was trained for, by the file it was made of; a classifier where that says nothing.

    None for a loss of one's own where the file does not tell the kind of its labels.
    """
    from crq.train import tasks

    said = network.metadata.other
    reconstructs = section.target == "input" or said.get("target") == "input"
    loss: str | None = said.get("loss", "mse" if reconstructs else "cross_entropy")
    if loss not in tasks.LOSSES:  # never imported: anyone may have written the file
        loss = tasks.USUAL.get("numbers" if reconstructs else said.get("labels", ""))
    if loss is None:
        return None
    usual = tasks.of(loss, reconstructs)
    named = tasks.METRICS.get(said.get("metric", ""), usual.metric)
    return tasks.of(loss, reconstructs, named.name) if named.kind == usual.metric.kind else usual

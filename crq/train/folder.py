"""A run's folder: where its files lie, whether a run may start or go on in it, and its tables."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from crq.errors import CrqError
from crq.files import empty_folder, write_text
from crq.train import distributed
from crq.train.checkpoints import restore
from crq.train.recipe import PHASES, Recipe
from crq.train.recipe import load as load_recipe

OWN = (
    "recipe.toml", "metrics.csv", "layers.csv", "curves.png", "weights.png", "summary.json", "manifest.json",
    "frozen.pt", "checkpoints", *(f"checkpoints/{phase}{end}" for phase in PHASES for end in (".pt", "-last.ckpt")),
    "logs", *(f"logs/{phase}{file}" for phase in PHASES for file in ("", "/events.out.tfevents.*", "/hparams.yaml")),
)  # fmt: skip
"""What a run writes into its folder."""


class RunFolder:
    """The folder of one run; nothing is written before `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = path / "recipe.toml"
        self.checkpoints = path / "checkpoints"
        self.new = not path.exists()

    def open(self, recipe: Recipe, resume: bool) -> Path | None:
        """Start a run of `recipe` in this folder, which must be empty or hold a trial alone, which is set aside; or go
        on with the run in it. Gives where the trial lies then."""
        aside = None
        if resume:
            if not self.recipe.exists():
                raise CrqError(f"{self.path} has no recipe.toml, so there is no run to resume in it")
            if load_recipe(self.recipe).training != recipe.training:
                raise CrqError(
                    f"the recipe differs from {self.recipe}; resume with that file, or choose another folder"
                )
        elif distributed.is_main():
            aside = self._set_trial_aside()
            if self.recipe.is_file() and not (self.path / "summary.json").exists():
                raise CrqError(
                    f"output folder {self.path} is not empty: it holds a run that has not ended, or its recipe; go on "
                    "with it by --resume (resume=True), or choose another folder"
                )
            empty_folder(self.path)
            recipe.save(self.recipe)
        distributed.barrier()
        return aside

    @contextmanager
    def undone_by_failure(self, untrained: Container[str]) -> Iterator[None]:
        """Where an error ends a new run before its first checkpoint, take back what it wrote: the same command then
        finds the folder as it was. untrained: phases whose result is there without training."""
        try:
            yield
        except Exception:
            if distributed.is_main() and not any(self._trained(phase) for phase in PHASES if phase not in untrained):
                with suppress(OSError):
                    self._clear()
            raise

    def _trained(self, phase: str) -> bool:
        return self.finished(phase).exists() or self.latest(phase).exists()

    def _clear(self) -> None:
        """Remove the run, where nothing else lies here."""
        if self._holds_its_own():
            for entry in self.path.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            if self.new:
                self.path.rmdir()

    def _set_trial_aside(self) -> Path | None:
        """Move what a run left that stopped its phases early (`steps`) into a folder beside, if nothing else lies here:
        such a run may have been long, and is its user's. The folder stays: it may be a link or where its user is."""
        if not self._holds_its_own() or not load_recipe(self.recipe).steps:
            return None
        whole = self.path.resolve()
        names = (whole.with_name(f"{whole.name}-trial{number or ''}") for number in count())
        aside = next(name for name in names if not name.exists())
        try:
            aside.mkdir()
            for entry in sorted(self.path.iterdir()):
                shutil.move(entry, aside / entry.name)
        except OSError as error:
            raise CrqError(
                f"the trial in {self.path} cannot be set aside as {aside}: {error}; choose another -o"
            ) from error
        return aside

    def _holds_its_own(self) -> bool:
        """Whether a recipe lies here, and nothing that a run does not write."""
        own = {path for pattern in OWN for path in self.path.glob(pattern)}
        return self.recipe.is_file() and own.issuperset(self.path.rglob("*"))

    def finished(self, phase: str) -> Path:
        """Where the result of a finished phase lies."""
        return self.checkpoints / f"{phase}.pt"

    def latest(self, phase: str) -> Path:
        """Where the last checkpoint of an unfinished phase lies."""
        return self.checkpoints / f"{phase}-last.ckpt"

    def float_network(self, recipe: Recipe) -> dict[str, Any]:
        """What the finished pretrain phase in this folder saved, to start a run of `recipe` from."""
        theirs = load_recipe(self.recipe)
        for section in ("data", "network", "loss", "metric", "seed", "pretrain", "steps"):
            if getattr(theirs, section) != getattr(recipe, section):
                raise CrqError(
                    f"{self.path} was trained with another `{section}`; its float network cannot be used here"
                )
        source = self.finished("pretrain")
        if not source.exists():
            raise CrqError(f"{self.path} has no finished pretrain phase (checkpoints/pretrain.pt)")
        return restore(source)

    def write_tables(self, rows: list[dict[str, Any]]) -> None:
        """metrics.csv, a row per epoch, and layers.csv, a row per epoch and ternary layer."""
        metrics = [{key: value for key, value in row.items() if key != "layers"} for row in rows]
        _write_csv(self.path / "metrics.csv", metrics)
        layers = [
            {"phase": row["phase"], "epoch": row["epoch"], "layer": name, **values}
            for row in rows
            for name, values in row.get("layers", {}).items()
        ]
        _write_csv(self.path / "layers.csv", layers)

    def inputs(self) -> list[str]:
        """Names of the recipe and of the checkpoints, for the manifest."""
        return ["recipe.toml", *(f"checkpoints/{path.name}" for path in sorted(self.checkpoints.glob("*.pt")))]


def _write_csv(target: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO()
    # The float network of an earlier run may bring rows with fewer columns.
    columns = dict.fromkeys(key for row in rows for key in row)
    writer = csv.DictWriter(text, list(columns) or ["phase"])
    writer.writeheader()
    writer.writerows(rows)
    write_text(target, text.getvalue())

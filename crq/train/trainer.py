"""The phases of Algorithm 1 in order: pretrain → retrain → quantize → finetune → freeze, into one run folder."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn
from torch.utils.data import Dataset

from crq.convert.freeze import freeze
from crq.convert.quantize import quantize
from crq.errors import CrqError
from crq.figures import told
from crq.files import write_json
from crq.quant.layers import TernaryLayer
from crq.quant.penalties import layer_statistics
from crq.train import distributed, plots, precision, process
from crq.train.budget import settled, within
from crq.train.checkpoints import check_fits, restore, save
from crq.train.folder import RunFolder
from crq.train.manifest import manifest
from crq.train.recipe import PHASES, Recipe, check_penalties, parse
from crq.train.recipe import load as load_recipe
from crq.train.setup import Setup
from crq.train.summary import frozen_scores, input_words, metadata, summarize

RESULT = {"network", "rows", "scores", "seconds", "layers"}
"""What the file of a finished phase holds."""


def train_recipe(
    recipe: Recipe | Mapping[str, Any] | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    network: nn.Module | None = None,
    data: Dataset[Any] | None = None,
    test: Dataset[Any] | None = None,
    epochs: int | None = None,
    resume: bool = False,
    pretrained: str | os.PathLike[str] | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Run a recipe into the folder `out` and return its summary (also written to `summary.json`).

    recipe: a `Recipe`, its sections as a dictionary, a TOML file or a built-in name. network, data, test: used in place
    of what the recipe names; data and test, the training and the test split, are `ImageData`, `ValueData` or any
    dataset: for classes of (sample, class), images as `from_dataset` takes them or real values; else of (sample,
    numbers). epochs: a budget that all phases together are fitted to. resume: continue an interrupted run in `out`;
    otherwise `out` must be empty. pretrained: the folder of an earlier run whose float network to start from; it must
    have the same data, network, loss, metric, seed and pretrain sections. A method without a retrain fine-tunes for its
    epochs, too. Raises `CrqError` for everything a user can mend, before training where possible.

    The recipe's threads and seed act on this run alone: torch's threads and random state, loggers, warning filters and
    signal handlers are afterwards what they were, but for what Lightning sets up when it is first imported. Messages
    go to `console`, by default standard error.
    """
    recipe = _recipe(recipe)
    if not isinstance(out, str | os.PathLike):
        raise CrqError(f"out: expected the path of a folder, not {out!r}")
    check_penalties(recipe)
    recipe = recipe if epochs is None else within(recipe, epochs)
    console = console or Console(stderr=True)
    left_out, recipe = recipe.retrain.epochs, settled(recipe)
    with process.as_found(recipe.threads):
        setup, folder = Setup(recipe, network, data, test), RunFolder(Path(out))
        start = None if pretrained is None else RunFolder(Path(pretrained)).float_network(recipe)
        distributed.start()
        if (aside := folder.open(recipe, resume)) is not None:
            console.print(f"the trial that lay in {out} is in {aside} now", highlight=False, soft_wrap=True)
        given = {"pretrain"} if start is not None else set()
        untrained = given | {name for name in PHASES if name not in recipe.phases}
        with nullcontext() if resume else folder.undone_by_failure(untrained):
            if start is not None and distributed.is_main():
                save(start, folder.finished("pretrain"))
            distributed.barrier()
            if distributed.is_main() and recipe.retrain.epochs < left_out:
                why = f"left out, method {setup.method.name} has no penalty there: its {left_out} epochs are finetune's"
                console.print(f"retrain   {why}", highlight=False, soft_wrap=True)
            with setup.chosen_grid():
                return _Run(setup, folder, console).complete()


def _recipe(given: Recipe | Mapping[str, Any] | str | os.PathLike[str]) -> Recipe:
    if isinstance(given, Recipe):
        return given
    if isinstance(given, Mapping):
        return parse(dict(given))
    if isinstance(given, str | os.PathLike):
        return load_recipe(given)
    raise CrqError(
        f"recipe: expected a Recipe, a dictionary of its sections, a file or a built-in name, not "
        f"{type(given).__name__}"
    )


class _Run:
    """One run on its way: what each phase has given so far."""

    def __init__(self, setup: Setup, folder: RunFolder, console: Console) -> None:
        self.setup, self.folder, self.console = setup, folder, console
        self.rows: list[dict[str, Any]] = []
        self.scores: dict[str, dict[str, float]] = {}
        self.seconds: dict[str, float] = {}

    def complete(self) -> dict[str, Any]:
        """Run every phase that is not finished yet."""
        setup = self.setup
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        slower = precision.warning(setup.recipe.precision, device) if distributed.is_main() else None
        for note in (slower, *setup.doubts()) if distributed.is_main() else ():
            if note is not None:
                self.console.print(f"warning: {note}", highlight=False, soft_wrap=True, style="yellow")
        self._train("pretrain", setup.network, "float")
        if setup.ternary != setup.recipe.ternary and distributed.is_main():
            self.console.print(f"input     {input_words(setup)}", highlight=False, soft_wrap=True)
        prepared = setup.prepared()
        stages = [_stage(prepared, "float")]
        if "retrain" in setup.recipe.phases:
            self._train("retrain", prepared, "retrained")
            stages.append(_stage(prepared, "after retrain"))
        self._quantize(prepared)
        self._train("finetune", prepared, "finetuned")
        stages.append(_stage(prepared, "after finetune"))
        if distributed.is_main():
            summary = self._finish(prepared, stages)
        distributed.barrier()
        return summary if distributed.is_main() else {}

    def _train(self, name: str, network: nn.Module, stage: str) -> None:
        """Train one phase, or load its result when an earlier run completed it."""
        done = self.folder.finished(name)
        if not done.exists():
            from crq.train.fit import fit  # Lightning takes seconds to import, and a finished run needs none of it

            start = time.perf_counter()
            rows = fit(self.setup, self.folder, name, network, self.console)
            seconds = time.perf_counter() - start
            state: dict[str, Any] = {
                "network": network.state_dict(),
                "rows": rows,
                "scores": self._scores(network),
                "seconds": seconds,
                "layers": layer_statistics(network),
            }
            if distributed.is_main():
                save(state, done)
            distributed.barrier()
        # Loading what was just written gives every process of a distributed run the same batch norms.
        state = restore(done)
        if missing := RESULT - set(state):
            raise CrqError(
                f"checkpoint {done} lacks {', '.join(sorted(missing))}: another version of crq wrote it. Train into a "
                "new folder, or remove it and resume to train that phase again"
            )
        check_fits(network, state["network"], done)
        network.load_state_dict(state["network"])
        network.to("cpu")
        self.rows += state["rows"]
        self.seconds[name] = state["seconds"]
        if distributed.is_main():
            self.folder.write_tables(self.rows)
        self._tell(stage, state["scores"], f" of {len(self.setup.test)} test samples")

    def _quantize(self, prepared: nn.Module) -> None:
        """α·t in place of the weights; scales and batch norms follow, since the old ones describe another network."""
        start = time.perf_counter()
        quantize(prepared, self.setup.calibration(), batches=None)
        found = self._scores(prepared)
        self.seconds["quantize"] = time.perf_counter() - start
        self._tell("quantized", found)

    def _finish(self, prepared: nn.Module, stages: list[plots.Stage]) -> dict[str, Any]:
        """Freeze where the recipe allows it, and write the files that tell of the run."""
        setup, folder = self.setup, self.folder.path
        start = time.perf_counter()
        files = self.folder.inputs()
        if setup.ternary.not_exportable is None:
            frozen = freeze(prepared, setup.calibration(), batches=None)
            frozen.input = frozen.input._replace(preprocessing=setup.steps)
            frozen.metadata = metadata(setup)
            frozen.save(folder / "frozen.pt")
            files.append("frozen.pt")
            self._tell("frozen", frozen_scores(setup, frozen, self.console.is_terminal))
        self.seconds["freeze"] = time.perf_counter() - start
        plots.curves(self.rows, folder / "curves.png", setup.task.metric.name)
        if stages[0].weights:  # all layers may be integer layers
            plots.histograms(stages, folder / "weights.png")
        before, after = stages[0].weights, stages[-2].weights  # of the fine-tuning
        summary = summarize(setup, prepared, before, after, self.scores, self.seconds)
        write_json(folder / "summary.json", summary)
        parts = {"train": setup.data, "test": setup.test} | ({"validation": setup.held_out} if setup.held_out else {})
        write_json(folder / "manifest.json", manifest(setup.recipe, parts, folder, files))
        return summary

    def _scores(self, network: nn.Module) -> dict[str, float]:
        return self.setup.task.evaluate(network, self.setup.test_batches())

    def _tell(self, stage: str, found: dict[str, float], of: str = "") -> None:
        """Record and show the figures of one stage."""
        self.scores[stage] = found
        if distributed.is_main() and not self.setup.recipe.steps:  # a trial's mean nothing
            self.console.print(f"{stage:<9} {told(found)}{of}", highlight=False)


def _stage(prepared: nn.Module, title: str) -> plots.Stage:
    layers = {name: module for name, module in prepared.named_modules() if isinstance(module, TernaryLayer)}
    weights = {name: copy.deepcopy(layer.weight.detach()) for name, layer in layers.items()}
    return plots.Stage(title, weights, {name: found["alpha"] for name, found in layer_statistics(prepared).items()})

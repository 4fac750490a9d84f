"""Runs that are compared: each is trained once into a folder of its own, and told of in a row."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console

from crq.errors import CrqError
from crq.files import write_json
from crq.quant import METHOD_NAMES
from crq.train import tasks
from crq.train.budget import settled
from crq.train.recipe import Recipe, check_retrain, load, without_idle_penalties
from crq.train.trainer import train_recipe

INT8 = "int8"
"""The candidate whose weights are integers of 8 bits in every layer."""
Price = Callable[[Path], tuple[int, int] | None]
"""LUTs of the frozen network in the folder of a run: folded for a rate, and as fast as fits a part; or no estimate."""


class Row(NamedTuple):
    """What one run gave. float_test, validation, test: the network's figure, an accuracy as a share; epochs: after the
    float network; zeros: share of the ternary weights; seconds: of processor time, training after the float network;
    luts: None where the network is for training only, has no estimate, or where nobody asked; samples: of the test
    split.
    """

    candidate: str
    seed: int
    epochs: int
    float_test: float
    validation: float | None
    test: float
    zeros: float | None
    seconds: float
    lut_folded: int | None
    lut_fast: int | None
    samples: int


def candidate_of(recipe: Recipe, name: str, seed: int) -> Recipe:
    """`recipe` with the method called `name`, or with `INT8` weights, and with that seed.

    All have as many epochs (`settled`). Raises `CrqError` for an unknown name, or one that `recipe` has no retrain for.
    """
    if name not in (*METHOD_NAMES, INT8):
        raise CrqError(f"method {name!r}: expected some of {', '.join((*METHOD_NAMES, INT8))}")
    check_retrain(recipe, name)
    # A layer's own method would be the same in every candidate.
    layers = {
        pattern: {k: v for k, v in own.items() if k != "method"} for pattern, own in recipe.ternary.layers.items()
    }
    every: dict[str, Any] = {"method": name, "layers": layers}
    if name == INT8:
        every = {"method": "ste", "integer": {"*": 8}, "layers": {}, "skip": ()}
    changes: dict[str, Any] = {"seed": seed, "ternary": replace(recipe.ternary, **every)}
    return settled(without_idle_penalties(recipe.model_copy(update=changes)))


def float_of(recipe: Recipe, seed: int) -> Recipe:
    """`recipe` of nothing but its float network."""
    plain = candidate_of(recipe, "ste", seed)
    none = {name: getattr(plain, name).model_copy(update={"epochs": 0}) for name in ("retrain", "finetune")}
    return plain.model_copy(update=none)


def trained(recipe: Recipe, folder: Path, pretrained: Path | None = None) -> dict[str, Any]:
    """The summary of `recipe` run into `folder`, with `validation` and the `processor_seconds` it took.

    A finished run is taken as it is, an interrupted one goes on, its time before counted in. Raises `CrqError` for a
    run of another recipe there.
    """
    recipe = settled(recipe)
    done, stored = folder / "measured.json", folder / "recipe.toml"
    if stored.exists() and load(stored).training != recipe.training:
        raise CrqError(f"{folder} holds a run of another recipe: choose another folder, or remove it")
    if not done.exists():
        resume, spent = stored.exists(), folder / "processor.json"
        before = json.loads(spent.read_text(encoding="utf-8")) if resume and spent.exists() else 0.0
        start = time.process_time()
        quiet = Console(file=io.StringIO())
        took = before
        try:
            train_recipe(recipe, folder, resume=resume, pretrained=None if resume else pretrained, console=quiet)
        finally:
            if stored.exists():
                took = before + time.process_time() - start
                write_json(spent, took)
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        rows = torch.load(folder / "checkpoints" / "finetune.pt", weights_only=True)["rows"]
        summary["validation"] = _held_out(recipe, [epoch["validation"] for epoch in rows])
        summary["processor_seconds"] = took
        write_json(done, summary)
    found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
    return found


def row(candidate: str, recipe: Recipe, folder: Path, pretrained: Path, price: Price | None = None) -> Row:
    """Train one candidate, from the float network of the run `pretrained`, and `price` it where it can be exported."""
    summary = trained(recipe, folder, pretrained)
    figures = summary[summary["metric"]]
    priced = price(folder) if price and summary["not_exportable"] is None else None
    folded, fast = priced or (None, None)
    epochs = sum(phase.epochs for name, phase in recipe.phases.items() if name != "pretrain")
    return Row(
        candidate, recipe.seed, epochs, figures["float"], summary["validation"],
        figures.get("frozen", figures["finetuned"]), _zeros(list(summary["layers"].values())),
        summary["processor_seconds"], folded, fast, summary["test_images"],
    )  # fmt: skip


def _held_out(recipe: Recipe, figures: Sequence[float | None]) -> float | None:
    """Of the weights that the fine-tuning ends with, from its figures by epoch."""
    if not figures or not recipe.finetune.patience:
        return figures[-1] if figures else None
    rises = tasks.of_recipe(recipe).metric.rises
    found = [figure for figure in figures if figure is not None and math.isfinite(figure)]
    return (max if rises else min)(found, default=None)


def _zeros(layers: Sequence[dict[str, Any]]) -> float | None:
    weights: int = sum(layer["weights"] for layer in layers)
    return sum(layer["weights"] * layer["zeros"] for layer in layers) / weights if weights else None

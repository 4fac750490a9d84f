"""One candidate with one seed: trained, frozen, and priced as hardware."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console

from crq.options import BuildOptions
from crq.train.recipe import Recipe, load
from crq.train.trainer import train_recipe


class Row(NamedTuple):
    """What one run gave. accuracies: shares; zeros: share of the ternary weights; seconds: of processor time, training
    after the float network; luts: by the estimator, folded for a rate, and as fast as fits a VU13P."""

    candidate: str
    seed: int
    epochs: int
    float_test: float
    validation: float
    test: float
    zeros: float
    seconds: float
    lut_folded: int | None  # None: for training only
    lut_fast: int | None


def trained(recipe: Recipe, folder: Path, pretrained: Path | None = None) -> dict[str, Any]:
    """The summary of `recipe` run into `folder`, with the processor time it took; what is there already is taken."""
    done = folder / "measured.json"
    if (folder / "recipe.toml").exists() and load(folder / "recipe.toml").training != recipe.training:
        raise SystemExit(f"{folder} holds a run of another recipe: choose another --out, or remove it")
    if not done.exists():
        resume = (folder / "recipe.toml").exists()
        start = time.process_time()
        train_recipe(
            recipe,
            folder,
            resume=resume,
            pretrained=None if resume else pretrained,
            console=Console(file=io.StringIO()),
        )
        summary = json.loads((folder / "summary.json").read_text())
        rows = torch.load(folder / "checkpoints" / "finetune.pt", weights_only=True)["rows"]
        summary["validation"] = rows[-1]["validation"] if rows else None
        summary["processor_seconds"] = time.process_time() - start
        part = done.with_suffix(".part")
        part.write_text(json.dumps(summary))
        os.replace(part, done)
    return json.loads(done.read_text())


def row(candidate: str, recipe: Recipe, folder: Path, pretrained: Path, fps: float) -> Row:
    """Train, and price the frozen network."""
    summary = trained(recipe, folder, pretrained)
    layers = summary["layers"].values()
    weights = sum(layer["weights"] for layer in layers)
    zeros = sum(layer["weights"] * layer["zeros"] for layer in layers) / weights
    folded, fast = luts(folder, fps) if summary["not_exportable"] is None else (None, None)
    accuracy = summary["accuracy"]
    epochs = sum(phase.epochs for name, phase in recipe.phases.items() if name != "pretrain")
    return Row(
        candidate, recipe.seed, epochs, accuracy["float"], summary["validation"],
        accuracy.get("frozen", accuracy.get("recalibrated")), zeros, summary["processor_seconds"], folded, fast,
    )  # fmt: skip


def luts(folder: Path, fps: float) -> tuple[int, int]:
    """LUTs on UltraScale+ at 5 ns: folded for `fps`, and for the highest rate that fits a VU13P."""
    from crq.convert.frozen import FrozenModel
    from crq.export.qonnx import to_qonnx
    from crq.hw.cost.network import estimate
    from crq.hw.devices.catalog import find
    from crq.hw.fold.search import Target, decide
    from crq.hw.ir.graph import Network
    from crq.hw.read.origin import load_graph

    file = folder / "frozen.onnx"
    to_qonnx(FrozenModel.load(folder / "frozen.pt"), file)
    network = Network(load_graph(file)[0])
    device = find("xcvu13p")
    found = []
    for target in (Target(fps=fps), Target(best_fit=True)):
        folds = decide(network, target, device=device, clock_period_ns=BuildOptions().clock_period).folds
        found.append(round(estimate(network, folds, "xcup").total.lut))
    return found[0], found[1]

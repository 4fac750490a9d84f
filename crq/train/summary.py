"""What is told of a finished run: its summary, and the metadata that goes into the exported file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from crq.convert.frozen import FrozenModel
from crq.convert.preprocessing import apply
from crq.convert.suggest import Grid
from crq.progress import counted
from crq.quant.layers import TernaryLayer
from crq.quant.penalties import layer_statistics
from crq.train.loader import BatchLoader
from crq.train.setup import EVALUATION_BATCH, Setup
from crq.train.size import model_size
from crq.train.sources import sounds
from crq.train.sources.benchmarks import HEARD
from crq.train.sources.values import ValueData
from crq.train.tasks import LOSSES, METRICS


def summarize(
    setup: Setup,
    prepared: nn.Module,
    before: Mapping[str, Tensor],
    after: Mapping[str, Tensor],
    scores: dict[str, dict[str, float]],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The content of `summary.json`. before, after: the ternary layers' weights around the
    retrain phase, the same where there is none. scores: the
    task's figures by stage; in the summary they are by figure, then by stage. `steps`: of a trial, after which each
    phase stopped.
    """
    return {
        "schema": 1,
        "name": setup.recipe.name,
        "method": setup.method.name,
        "test_images": len(setup.test),
        "steps": setup.recipe.steps,
        "metric": setup.task.metric.name,
        **{name: {stage: found[name] for stage, found in scores.items() if name in found} for name in _names(scores)},
        "input": input_words(setup),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "parameters": sum(parameter.numel() for parameter in setup.network.parameters()),
        "layers": {
            name: {
                "weights": before[name].numel(),
                "cost_before": _cost(prepared, name, before[name]),
                "cost_after": _cost(prepared, name, after[name]),
                **values,
            }
            for name, values in layer_statistics(prepared).items()
        },
        "size": model_size(prepared),
        "not_exportable": setup.recipe.ternary.not_exportable,
    }


def metadata(setup: Setup) -> dict[str, str]:
    """What a reader of the exported file wants to know of its making."""
    recipe = setup.recipe
    lams = {name: setup.lam(name) for name in recipe.phases if name != "pretrain"}
    found = {
        "recipe": recipe.name,
        "method": setup.method.name,
        "lambda": json.dumps({name: lam for name, lam in lams.items() if lam is not None}),
        "data": setup.data.name,
        "class_names": json.dumps(list(setup.data.classes)),
        "preprocessing": input_words(setup),
        "loss": recipe.loss,
        "target": recipe.data.target,
    }
    if recipe.metric in METRICS:  # one of the user's own is no more than a name to a reader
        found["metric"] = recipe.metric
    if recipe.loss not in LOSSES:  # a reader of the file does not import it
        found["labels"] = setup.task.kind
    if recipe.data.name in HEARD or sounds.is_folder(Path(recipe.data.root or recipe.data.name)):
        found["sound"] = recipe.data.sound.model_dump_json()
    return found


def input_words(setup: Setup) -> str:
    """How an input becomes codes."""
    config = setup.ternary
    if not setup.steps and not isinstance(setup.data, ValueData):
        return f"none: image bytes are the input codes, value = byte × {config.input_scale}"
    grid = Grid(config.input_bits, config.input_signed, config.input_scale)
    before = "standardized by the training split, then " if setup.steps else ""
    return f"{before}rounded to {grid}: {config.input_bits}-bit codes"


def frozen_scores(setup: Setup, frozen: FrozenModel, progress: bool) -> dict[str, float]:
    """The figures of a frozen model on the test split as it is, before any of the host's steps; with a bar."""
    steps = frozen.input.preprocessing
    task = replace(setup.task, prepared=lambda x: apply(steps, x).float()) if steps else setup.task
    sized = ((EVALUATION_BATCH, batch) for batch in BatchLoader(setup.test, EVALUATION_BATCH))
    batches = counted(sized, "frozen", len(setup.test), progress)
    return task.evaluate(lambda x: frozen.output.logits(frozen.integers(x, quantize=True)), batches)


def _names(scores: dict[str, dict[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for found in scores.values() for name in found))


def _cost(prepared: nn.Module, name: str, weight: Tensor) -> float:
    """J/‖W‖² of the layer called `name` if its weights were `weight`."""
    layer = prepared.get_submodule(name)
    assert isinstance(layer, TernaryLayer)
    return layer.method.ternarize(weight, layer.per_channel, name).relative_cost(weight)

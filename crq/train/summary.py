"""What is told of a finished run: its summary, and the metadata that goes into the exported file."""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor, nn

from crq.quant.layers import TernaryLayer
from crq.quant.penalties import layer_statistics
from crq.train.setup import Setup
from crq.train.size import model_size


def summarize(
    setup: Setup,
    prepared: nn.Module,
    before: dict[str, Tensor],
    after: dict[str, Tensor],
    accuracies: dict[str, float],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The content of `summary.json`. before, after: the ternary layers' weights around the retrain phase."""
    return {
        "schema": 1,
        "name": setup.recipe.name,
        "method": setup.method.name,
        "test_images": len(setup.test),
        "accuracy": accuracies,
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
    lam = setup.method.lam if recipe.retrain.lam is None else recipe.retrain.lam
    return {
        "recipe": recipe.name,
        "method": setup.method.name,
        "lambda": repr(lam),
        "data": setup.data.name,
        "class_names": json.dumps(list(setup.test.classes)),
        "preprocessing": f"none: image bytes are the input codes, value = byte × {recipe.ternary.input_scale}",
    }


def _cost(prepared: nn.Module, name: str, weight: Tensor) -> float:
    """J/‖W‖² of the layer called `name` if its weights were `weight`."""
    layer = prepared.get_submodule(name)
    assert isinstance(layer, TernaryLayer)
    return layer.method.ternarize(weight, layer.per_channel, name).relative_cost(weight)

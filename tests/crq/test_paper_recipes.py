"""The recipes of the paper's schedules run: a few steps of every phase, on CIFAR-10-shaped bytes."""

import io

import numpy as np
import pytest
from rich.console import Console

from crq import recipe, trainer


@pytest.mark.parametrize(
    "name",
    [
        "cifar10-resnet20",
        pytest.param("cifar10-resnet32", marks=pytest.mark.slow),
        pytest.param("cifar10-resnet44", marks=pytest.mark.slow),
        pytest.param("cifar10-vgg7", marks=pytest.mark.slow),
    ],
)
def test_a_few_steps(tmp_path, name: str) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (256, 3073), dtype=np.uint8)
    rows[:, 0] %= 10
    rows.tofile(tmp_path / "data_batch_1.bin")
    rows[:64].tofile(tmp_path / "test_batch.bin")
    values = recipe.load(name).model_dump()
    values["data"]["root"] = str(tmp_path)
    plan = recipe.parse({**values, "steps": 1, "calibration": 64})
    summary = trainer.train(plan, tmp_path / "run", console=Console(file=io.StringIO()))
    assert list(summary["accuracy"])[:4] == ["float", "retrained", "quantized", "finetuned"]
    if name.startswith("cifar10-resnet"):
        # The paper's setting: first and last layer float.
        assert "conv1" not in summary["layers"]
        assert "fc" not in summary["layers"]
        assert plan.retrain.lam == 0.001

"""The recipes of the paper's schedules run: a few steps of every phase, on CIFAR-10-shaped bytes."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from crq.train import recipe, trainer


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
    summary = trainer.train_recipe(plan, tmp_path / "run", console=Console(file=io.StringIO()))
    assert list(summary["accuracy"])[:4] == ["float", "retrained", "quantized", "finetuned"]
    if name.startswith("cifar10-resnet"):
        # The paper's setting: first and last layer float.
        assert "conv1" not in summary["layers"]
        assert "fc" not in summary["layers"]
        assert plan.retrain.lam == 0.001


@pytest.mark.parametrize(
    ("name", "options"), [("imagenet-resnet18", {"width": 8}), ("imagenet-alexnet", {"dense": 32, "classes": 2})]
)
def test_imagenet_recipes_read_image_folders(tmp_path, name: str, options: dict) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 2)):
        for kind in ("cat", "dog"):
            (tmp_path / split / kind).mkdir(parents=True)
            for index in range(count):
                shape = (int(rng.integers(40, 90)), int(rng.integers(40, 90)), 3)  # every image has its own size
                pixels = rng.integers(0, 256, shape, dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / kind / f"{index}.jpg")
    values = recipe.load(name).model_dump()
    values["data"]["root"] = str(tmp_path)
    values["network"]["options"] = options
    for phase in ("pretrain", "retrain", "finetune"):
        values[phase]["batch_size"] = 4
    plan = recipe.parse({**values, "steps": 1, "calibration": 4})
    summary = trainer.train_recipe(plan, tmp_path / "run", console=Console(file=io.StringIO()))
    assert summary["test_images"] == 4
    assert list(summary["accuracy"])[:4] == ["float", "retrained", "quantized", "finetuned"]

"""Smaller images first: which height when, how images are scaled, and what a run does with it."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from crq.errors import CrqError
from crq.train import progressive, recipe, trainer
from crq.train.sections import Phase
from crq.train.setup import Setup
from crq.train.sources.values import ValueData
from tests.support.recipes import digits, values


class Seen(nn.Module):
    """Ends with a mean over the map; keeps the heights of what it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 10)
        self.heights: list[int] = []

    def forward(self, x):
        if self.training and isinstance(x, torch.Tensor):
            self.heights.append(x.shape[2])
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


def test_sizes_share_the_epochs_evenly() -> None:
    def heights(sizes: tuple[int, ...], epochs: int) -> list[int | None]:
        return [progressive.side(Phase(epochs=epochs, sizes=sizes), epoch) for epoch in range(epochs)]

    assert heights((), 2) == [None, None]
    assert heights((16, 24, 32), 6) == [16, 16, 24, 24, 32, 32]
    assert heights((16, 16, 32), 3) == [16, 16, 32]
    assert heights((16, 24, 32), 2) == [16, 24]  # fewer epochs than sizes


def test_scaled_as_pillow_scales() -> None:
    pixels = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    ours = progressive.scaled(torch.from_numpy(pixels)[None, None], 14)
    theirs = np.asarray(Image.fromarray(pixels).resize((21, 14), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(ours[0, 0].numpy(), theirs, atol=1e-6)


def test_own_height_is_left_alone() -> None:
    images = torch.rand(2, 1, 8, 8)
    assert progressive.scaled(images, None) is images
    assert progressive.scaled(images, 8) is images


def test_a_run_trains_on_them(tmp_path) -> None:
    network = Seen()
    short = values(pretrain={"epochs": 3, "sizes": [4, 6, 8]}, retrain={"epochs": 0}, finetune={"epochs": 0})
    trainer.train_recipe(recipe.parse(short), tmp_path / "run", network=network, data=digits(), test=digits())
    batches = len(network.heights) // 3
    assert batches
    assert network.heights == [4] * batches + [6] * batches + [8] * batches


@pytest.mark.parametrize(
    ("sizes", "network", "message"),
    [
        ([16, 8], Seen(), r"pretrain.sizes: images of .* are 8 high, and 16 is more: give heights up to theirs"),
        ([4, 8], nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), r"does not take images 4 high, .*mean over the map"),
    ],
)
def test_refused_before_training(sizes: list[int], network: nn.Module, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        Setup(recipe.parse(values(pretrain={"epochs": 2, "sizes": sizes})), network, digits(), digits())


def test_refused_for_tables() -> None:
    rows = ValueData(torch.rand(40, 6), torch.arange(40) % 2, ("a", "b"), "rows")
    asked = values(data={"name": "rows"}, pretrain={"epochs": 2, "sizes": [4]})
    with pytest.raises(CrqError, match=r"pretrain.sizes is for images \[C, H, W\], not for shape \(6,\): leave it out"):
        Setup(recipe.parse(asked), nn.Linear(6, 2), rows, rows)

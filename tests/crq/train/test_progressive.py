"""Smaller images first: which height when, how images are scaled, and what a run does with it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
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
    assert heights((16, 24, 32), 2) == [24, 32]  # fewer epochs than sizes
    assert heights((16, 24, 32), 1) == [32]


@given(sizes=st.lists(st.integers(4, 64), min_size=1, max_size=9), epochs=st.integers(1, 200))
def test_the_phase_ends_with_the_last_size_and_each_has_its_share(sizes: list[int], epochs: int) -> None:
    marked = tuple(range(4, 4 + len(sizes)))  # distinct, so that each can be counted
    given_to = [progressive.side(Phase(epochs=epochs, sizes=marked), epoch) for epoch in range(epochs)]
    assert given_to == sorted(given_to)
    assert given_to[-1] == marked[-1]
    shares = [given_to.count(size) for size in marked]
    if epochs >= len(marked):
        assert max(shares) - min(shares) <= 1
    else:
        assert sorted(shares) == [0] * (len(marked) - epochs) + [1] * epochs


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


class Picky(Seen):
    """Asks for images of one size, which tracing does not see."""

    def forward(self, x):
        if isinstance(x, torch.Tensor) and x.shape[2] != 8:
            raise ValueError("eight rows, please")
        return super().forward(x)


class Whole(nn.Module):
    """Pools over whatever height it gets, which tracing fixes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 10)

    def forward(self, x):
        return self.fc(nn.functional.avg_pool2d(torch.relu(self.conv(x)), x.shape[2]).flatten(1))


def maps() -> nn.Module:
    """Scores in number as the image is high."""
    return nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Flatten(), nn.Linear(64, 10))


@pytest.mark.parametrize(
    ("sizes", "network", "message"),
    [
        (
            [16, 8],
            Seen(),
            r"pretrain.sizes: the images are 8 high; give heights up to that, which end with it",
        ),
        ([4, 6], Seen(), r"pretrain.sizes: the images are 8 high; give heights"),
        ([4, 8], maps(), r"does not take images 4 high in place of 8 \(.*\): let it end with a mean over the map"),
        ([4, 8], Picky(), r"does not take images 4 high in place of 8 \(eight rows, please\)"),
    ],
)
def test_refused_before_training(sizes: list[int], network: nn.Module, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        Setup(recipe.parse(values(pretrain={"epochs": 2, "sizes": sizes})), network, digits(), digits())


def test_each_phase_is_checked_on_the_network_that_it_trains() -> None:
    plan = {"pretrain": {"epochs": 2, "sizes": [4, 8]}, "retrain": {"epochs": 0}, "finetune": {"epochs": 2}}
    network = Whole().train()
    plan["ternary"] = {"method": "ste"}
    Setup(recipe.parse(values(**plan)), network, digits(), digits())
    assert network.training
    plan["finetune"]["sizes"] = [4, 8]
    with pytest.raises(CrqError, match=r"finetune.sizes: the network does not take images 4 high"):
        Setup(recipe.parse(values(**plan)), network, digits(), digits())


def test_another_number_of_scores_is_refused() -> None:
    class Rows(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :10] if x.shape[2] == 8 else x.flatten(1)

    with pytest.raises(CrqError, match=r"k: .*\(its scores have shape \(16,\) instead of \(10,\)\)"):
        progressive.check("k", (4, 8), Rows(), torch.zeros(2, 1, 8, 8))


def test_refused_for_tables() -> None:
    rows = ValueData(torch.rand(40, 6), torch.arange(40) % 2, ("a", "b"), "rows")
    asked = values(data={"name": "rows"}, pretrain={"epochs": 2, "sizes": [4]})
    with pytest.raises(CrqError, match=r"pretrain.sizes is for images \[C, H, W\], not for samples of shape \(6,\)"):
        Setup(recipe.parse(asked), nn.Linear(6, 2), rows, rows)


def test_a_ternary_phase_that_learns_from_the_float_network_trains_on_them(tmp_path, monkeypatch) -> None:
    heights, original = [], progressive.scaled

    def noted(images, height):
        heights.append(height)
        return original(images, height)

    phases = {"pretrain": {"epochs": 1}, "finetune": {"epochs": 2, "sizes": [4, 8], "distill": {}}}
    plan = recipe.parse(values(ternary={"method": "ste"}, retrain={"epochs": 0}, **phases))
    monkeypatch.setattr(progressive, "scaled", noted)
    summary = trainer.train_recipe(plan, tmp_path / "run", network=Seen(), data=digits(), test=digits())
    tuned = [height for height in heights if height is not None]
    batches = len(tuned) // 2
    assert tuned == [4] + [4] * batches + [8] * batches  # the first is the check's
    assert summary["accuracy"]["frozen"] >= 0

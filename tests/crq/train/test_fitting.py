"""What is told to change is what makes the network fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from crq.convert.fits import Misfit
from crq.errors import CrqError
from crq.train import recipe
from crq.train.fitting import change, misfit
from crq.train.sections import Network
from crq.train.setup import Setup
from crq.train.sources.values import ValueData
from tests.support.recipes import values

OWN = "tests.crq.train.test_fitting:Own"


class Own(nn.Module):
    """A layer with a number of inputs and of scores; `twice` is as large as `inputs`."""

    def __init__(self, inputs: int = 5, twice: int = 3, scores: int = 2) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, twice)
        self.out = nn.Linear(twice, scores)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.fc(x)))


class Told(Own):
    """The same, told of the data."""

    def __init__(self, *, shape: tuple[int, ...], outputs: int, twice: int = 3) -> None:
        super().__init__(shape[0], twice, outputs)


def table(features: int, classes: int) -> ValueData:
    x = torch.randn(200, features, generator=torch.Generator().manual_seed(0))
    return ValueData(x, torch.arange(200) % classes, tuple("abcdef"[:classes]), "pump.csv")


def made(name: str, features: int, classes: int, **options: int) -> Setup:
    data = table(features, classes)
    own = recipe.parse(values(data={"name": "digits"}, network={"name": name, "options": options}))
    return Setup(own, data=data, test=data)


def test_the_option_that_is_named_helps() -> None:
    told = r"'fc' \(Linear\) takes 5 features, but a sample of pump.csv, of shape \(8,\), gives it 8: change tests/.*py"
    with pytest.raises(CrqError, match=told + r", or give options = \{ inputs = 8 \} in \[network\]"):
        made(OWN, 8, 3)
    with pytest.raises(CrqError, match=r"shape \(2,\); expected 3 logits.*or give options = \{ scores = 3 \}"):
        made(OWN, 8, 3, inputs=8)
    assert made(OWN, 8, 3, inputs=8, scores=3).network.out.out_features == 3


def test_a_network_that_asks_is_told_of_the_data() -> None:
    network = made(f"{OWN.partition(':')[0]}:Told", 8, 3).network
    assert (network.fc.in_features, network.out.out_features) == (8, 3)
    with pytest.raises(CrqError, match=r"expected 3 logits.*give options = \{ outputs = 3 \}"):
        made(f"{OWN.partition(':')[0]}:Told", 8, 3, outputs=2)  # options come first


def test_no_option_is_named_where_it_is_a_guess() -> None:
    assert change(Network(name=OWN, options={"twice": 5}), 5, 8) == "change tests/crq/train/test_fitting.py"
    assert "options" not in change(Network(name=OWN), 5, None)
    assert change(Network(name="lenet"), 1, 3).startswith("choose another network than lenet, or other data")
    assert change(None, 1, 3) == "change the network, or its data"
    inner = Misfit("'out' (Linear)", 3, 4, "features", (8,), "")
    assert "options" not in str(misfit(inner, Network(name=OWN), "pump.csv", (8,)))

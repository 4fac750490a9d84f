"""Figures of simulated logits: those of training, on as many samples."""

import numpy as np
import torch

from crq.hw.cli.scores import Scored
from crq.train import tasks


def test_only_the_first_samples_count() -> None:
    scored = Scored(tasks.of("cross_entropy"), torch.tensor([0, 1, 1]), torch.zeros(3, 2))
    assert scored.first(2)(np.array([[1.0, 0.0], [0.0, 1.0]])) == {"accuracy": 1.0}


def test_an_autoencoder_gives_what_the_host_makes_of_its_input() -> None:
    inputs = torch.tensor([[1.0, 5.0], [3.0, 9.0]])
    steps = (("Sub", (1.0, 5.0)), ("Div", (2.0, 4.0)))
    scored = Scored(tasks.of("mse", reconstructs=True), torch.zeros(2).long(), inputs, steps)
    assert scored.first(2)(np.array([[0.0, 0.0], [1.0, 1.0]]))["mse"] == 0
    assert scored.first(2)(np.array([[0.0, 0.0], [1.0, 3.0]]))["mse"] == 1

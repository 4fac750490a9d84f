"""LeNet and ConvNet."""

import torch

from crq.models.lenet import ConvNet, LeNet


def test_lenet_has_the_weights_of_the_paper() -> None:
    weights = [p.numel() for p in LeNet().parameters() if p.dim() > 1]
    assert weights == [150, 2400, 48000, 10080, 840]
    assert sum(weights) == 61470


def test_convnet_is_of_about_that_size() -> None:
    assert abs(sum(p.numel() for p in ConvNet().parameters()) - 61_000) < 1000


def test_logits() -> None:
    for kind in (LeNet, ConvNet):
        assert kind(classes=7, channels=2).eval()(torch.rand(2, 2, 28, 28)).shape == (2, 7)

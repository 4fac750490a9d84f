"""MobileNet v1."""

import torch

import crq
from crq.models.mobilenet import MobileNet


def test_its_size() -> None:
    net = MobileNet()
    assert sum(p.numel() for p in net.parameters() if p.dim() > 1) == 208_112
    assert net.features[-3].out_channels == 256
    with torch.no_grad():
        assert net.eval()(torch.zeros(1, 3, 96, 96)).shape == (1, 2)


def test_it_becomes_ternary() -> None:
    small = MobileNet(width=0.1)
    assert crq.prepare(small, example_input=torch.rand(2, 3, 32, 32))(torch.rand(2, 3, 32, 32)).shape == (2, 2)

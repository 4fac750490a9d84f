"""The depthwise-separable network."""

import torch
from torch import nn

import crq
from crq.models.separable import MobileNet, SeparableNet


def test_depthwise_layers_see_one_channel_each() -> None:
    layers = [m for m in SeparableNet(width=4).features if isinstance(m, nn.Conv2d)]
    assert [(m.kernel_size[0], m.groups) for m in layers[1:]] == [(3, 4), (1, 1), (3, 8), (1, 1), (3, 16), (1, 1)] + [
        (3, 16),
        (1, 1),
    ]


def test_any_image_from_eight_pixels_up() -> None:
    model = SeparableNet(classes=3, width=4).eval()
    for size in (8, 11, 32):
        assert model(torch.rand(2, 3, size, size)).shape == (2, 3)


def test_the_size_of_mobilenet() -> None:
    net = MobileNet()
    assert sum(p.numel() for p in net.parameters() if p.dim() > 1) == 208_112
    assert net.features[-3].out_channels == 256
    with torch.no_grad():
        assert net.eval()(torch.zeros(1, 3, 96, 96)).shape == (1, 2)


def test_mobilenet_becomes_ternary() -> None:
    small = MobileNet(width=0.1)
    assert crq.prepare(small, example_input=torch.rand(2, 3, 32, 32))(torch.rand(2, 3, 32, 32)).shape == (2, 2)

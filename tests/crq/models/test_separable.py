"""The depthwise-separable network."""

import torch
from torch import nn

from crq.models.separable import SeparableNet


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

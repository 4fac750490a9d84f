"""A depthwise-separable network (Howard et al. 2017) for small images."""

from __future__ import annotations

from torch import Tensor, nn


class SeparableNet(nn.Module):
    """A 3×3 stem, then depthwise 3×3 and pointwise 1×1 pairs, global average pool; any image from 8×8 up."""

    def __init__(self, classes: int = 10, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        layers = [nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        previous = width
        for out, stride in ((2 * width, 1), (4 * width, 2), (4 * width, 1), (8 * width, 2)):
            layers += [
                nn.Conv2d(previous, previous, 3, stride, 1, groups=previous, bias=False),
                nn.BatchNorm2d(previous),
                nn.ReLU(),
                nn.Conv2d(previous, out, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(),
            ]
            previous = out
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(previous, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        return self.fc(self.pool(self.features(x)).flatten(1))

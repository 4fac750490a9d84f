"""MobileNet v1 (Howard et al. 2017), by default at the quarter width that MLPerf Tiny's visual wake words take."""

from __future__ import annotations

from torch import Tensor, nn

_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class MobileNet(nn.Module):
    """Stem of stride 2 and 13 depthwise-separable blocks for [N, channels, 96, 96] or larger; global average pool."""

    def __init__(self, classes: int = 2, channels: int = 3, width: float = 0.25) -> None:
        super().__init__()
        previous = max(1, int(32 * width))
        layers = [nn.Conv2d(channels, previous, 3, 2, 1, bias=False), nn.BatchNorm2d(previous), nn.ReLU()]
        for full, stride in _BLOCKS:
            out = max(1, int(full * width))
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

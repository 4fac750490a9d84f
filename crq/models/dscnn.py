"""The keyword-spotting network of MLPerf Tiny (Zhang et al. 2017, DS-CNN): depthwise-separable, on log-mel pictures."""

from __future__ import annotations

from torch import Tensor, nn


class DSCNN(nn.Module):
    """A 4×10 stem of stride 2 (bands × frames), then depthwise 3×3 and pointwise pairs, global average pool.

    For [N, channels, bands, frames]; with width 64 and 4 blocks about 22,000 weights.
    """

    def __init__(self, classes: int = 12, channels: int = 1, width: int = 64, blocks: int = 4) -> None:
        super().__init__()
        layers = [nn.Conv2d(channels, width, (4, 10), 2, (1, 4), bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        for _ in range(blocks):
            for kernel, groups in ((3, width), (1, 1)):
                convolution = nn.Conv2d(width, width, kernel, 1, kernel // 2, groups=groups, bias=False)
                layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        return self.fc(self.pool(self.features(x)).flatten(1))

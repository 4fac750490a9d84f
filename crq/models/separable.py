"""Depthwise-separable networks (Howard et al. 2017): for small images, and MobileNet."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

_MOBILE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))


class _Separable(nn.Module):
    """A 3×3 stem, then depthwise 3×3 and pointwise 1×1 pairs, global pool. blocks: (outputs, stride) of each."""

    def __init__(self, classes: int, channels: int, stem: int, stride: int, blocks: Iterable[tuple[int, int]]) -> None:
        super().__init__()
        layers = [nn.Conv2d(channels, stem, 3, stride, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU()]
        previous = stem
        for out, step in blocks:
            layers += [
                nn.Conv2d(previous, previous, 3, step, 1, groups=previous, bias=False),
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


class SeparableNet(_Separable):
    """Four blocks, for any image from 8×8 up."""

    def __init__(self, classes: int = 10, channels: int = 3, width: int = 32) -> None:
        blocks = ((2 * width, 1), (4 * width, 2), (4 * width, 1), (8 * width, 2))
        super().__init__(classes, channels, width, 1, blocks)


class MobileNet(_Separable):
    """MobileNet v1, by default at the quarter width of MLPerf Tiny's visual wake words: a stem of stride 2, 13 blocks,
    for [N, channels, 96, 96] or larger."""

    def __init__(self, classes: int = 2, channels: int = 3, width: float = 0.25) -> None:
        blocks = [(max(1, int(full * width)), stride) for full, stride in _MOBILE]
        super().__init__(classes, channels, max(1, int(32 * width)), 2, blocks)

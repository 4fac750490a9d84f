"""AlexNet with batch norm, as ternary papers train it on ImageNet."""

from __future__ import annotations

from torch import Tensor, nn


class AlexNet(nn.Module):
    """Five convolutions and three dense layers for [N, 3, 227, 227]; batch norm in place of local response norm."""

    def __init__(self, classes: int = 1000, channels: int = 3, dense: int = 4096) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_conv(channels, 96, 11, stride=4),
            nn.MaxPool2d(3, 2),
            *_conv(96, 256, 5, padding=2),
            nn.MaxPool2d(3, 2),
            *_conv(256, 384, 3, padding=1),
            *_conv(384, 384, 3, padding=1),
            *_conv(384, 256, 3, padding=1),
            nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(256 * 36, dense, bias=False),
            nn.BatchNorm1d(dense),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(dense, dense, bias=False),
            nn.BatchNorm1d(dense),
            nn.ReLU(),
            nn.Linear(dense, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        return self.classifier(self.features(x))


def _conv(channels: int, out: int, kernel: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, kernel, stride, padding, bias=False), nn.BatchNorm2d(out), nn.ReLU()]

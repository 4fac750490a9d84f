"""A one-dimensional network, for signals."""

from __future__ import annotations

from torch import Tensor, nn


class SignalNet(nn.Module):
    """Three 1-D convolutions with pooling and one dense layer for [N, channels, length]; length a multiple of 8."""

    def __init__(self, classes: int = 10, channels: int = 1, length: int = 64, width: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage in range(3):
            out = width << stage
            layers += [
                nn.Conv1d(channels, out, 5, padding=2, bias=False),
                nn.BatchNorm1d(out),
                nn.ReLU(),
                nn.MaxPool1d(2),
            ]
            channels = out
        self.features = nn.Sequential(*layers)
        self.fc = nn.Linear(channels * (length // 8), classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        return self.fc(self.features(x).flatten(1))

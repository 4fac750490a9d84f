"""VGG-7, the CIFAR-10 network of the ternary FPGA literature, and a width-scalable form of it."""

from __future__ import annotations

from torch import Tensor, nn


class VGG7(nn.Module):
    """2×(128C3) – MP2 – 2×(256C3) – MP2 – 2×(512C3) – MP2 – 1024FC – classes, for [N, 3, 32, 32] (TWN, section 3).

    width: channels of the first stage. dense: outputs of the hidden linear layer, 8·width by default. "Unrolling
    Ternary Neural Networks" (Tridgell et al., 2019) has width 64 and dense 128.
    """

    def __init__(self, classes: int = 10, channels: int = 3, width: int = 128, dense: int | None = None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage in range(3):
            out = width << stage
            for _ in range(2):
                layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
                channels = out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        hidden = 8 * width if dense is None else dense
        self.fc1 = nn.Linear(channels * 16, hidden, bias=False)
        self.bn = nn.BatchNorm1d(hidden)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        x = self.features(x).flatten(1)
        return self.fc2(self.relu(self.bn(self.fc1(x))))

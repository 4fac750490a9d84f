"""Residual networks: the CIFAR family (He et al. 2016, section 4.2) and ResNet-18."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from crq.errors import CrqError


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut; a 1×1 convolution on the shortcut where the shape changes."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class CifarResNet(nn.Module):
    """ResNet-(6n+2) for small images: 3 stages of n blocks, 16, 32, 64 channels, global average pool."""

    def __init__(self, depth: int = 20, classes: int = 10, channels: int = 3, width: int = 16) -> None:
        super().__init__()
        if (depth - 2) % 6 or depth < 8:
            raise CrqError(f"depth must be 6n + 2 (20, 32, 44, 56 …), not {depth}")
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        previous = width
        for stage in range(3):
            for index in range((depth - 2) // 6):
                out = width << stage
                blocks.append(BasicBlock(previous, out, 2 if stage and not index else 1))
                previous = out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(previous, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


class ResNet18(nn.Module):
    """ResNet-18 for [N, 3, 224, 224] (ImageNet): 7×7 stem, 4 stages of 2 blocks."""

    def __init__(self, classes: int = 1000, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1)
        blocks: list[nn.Module] = []
        previous = width
        for stage in range(4):
            for index in range(2):
                out = width << stage
                blocks.append(BasicBlock(previous, out, 2 if stage and not index else 1))
                previous = out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(previous, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes]."""
        x = self.blocks(self.pool(F.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))

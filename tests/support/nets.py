"""Small networks in users' style, and frozen models made from them with random weights and batch norms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import crq


class Plain(nn.Module):
    """Conv, batch norm, ReLU, max pool, linear: biases everywhere."""

    shape = (1, 8, 8)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 9, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(9)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(36, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        return self.fc(x.flatten(1))


class Residual(nn.Module):
    """A skip connection without ReLU on one side, then a global average pool."""

    shape = (3, 6, 7)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(x + self.bn(self.conv(x)))
        return self.fc(self.pool(x).flatten(1))


class Branches(nn.Module):
    """Depthwise and dilated branches concatenated; pools between convolution and batch norm."""

    shape = (4, 9, 8)

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
        self.grouped = nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2)
        self.bn = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.average = nn.AvgPool2d(2)
        self.last = nn.Conv2d(10, 3, (2, 2))

    def forward(self, x: Tensor) -> Tensor:
        a = torch.relu(self.pool(self.depthwise(x)))
        b = torch.relu(self.bn(self.pool(self.grouped(x))))
        x = self.average(torch.cat([a, b], 1))
        return self.last(x).flatten(1)


class Signal(nn.Module):
    """One-dimensional."""

    shape = (2, 24)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(2, 5, 5, padding=2)
        self.bn1 = nn.BatchNorm1d(5)
        self.conv2 = nn.Conv1d(5, 4, 3, stride=2)
        self.fc = nn.Linear(44, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.fc(torch.relu(self.conv2(x)).flatten(1))


NETWORKS = {cls.__name__: cls for cls in (Plain, Residual, Branches, Signal)}


def images(network: type[nn.Module], count: int, seed: int = 0) -> Tensor:
    """uint8 codes (N, *shape)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *network.shape), generator=generator, dtype=torch.uint8)


def extremes(network: type[nn.Module]) -> Tensor:
    """All qmin, all qmax, and two alternating patterns."""
    zeros = torch.zeros(1, *network.shape, dtype=torch.uint8)
    alternating = torch.zeros_like(zeros).flatten()
    alternating[::2] = 255
    alternating = alternating.reshape(zeros.shape)
    return torch.cat([zeros, zeros + 255, alternating, 255 - alternating])


def prepared(network: type[nn.Module], seed: int = 0, **config: object) -> nn.Module:
    """A prepared network in its quantized mode, batch norms with gains of both signs, quantizers calibrated."""
    torch.manual_seed(seed)
    net = network()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    model = crq.prepare(net, crq.TernaryConfig(**config))  # type: ignore[arg-type]
    crq.set_mode(model, "quantized")
    model.train()
    with torch.no_grad():
        model(images(network, 16, seed).float() / 256)
    return model.eval()


def frozen(network: type[nn.Module], seed: int = 0, **config: object) -> crq.FrozenModel:
    model = prepared(network, seed, **config)
    return crq.freeze(model, [images(network, 16, seed)])

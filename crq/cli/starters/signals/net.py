"""The network: scores of the classes from one stretch of a signal."""

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Input [N, channels, 64], output [N, classes]."""

    def __init__(self, channels: int = 1, classes: int = 3, width: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(channels, width, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.conv2 = nn.Conv1d(width, 2 * width, 5, stride=2, padding=2, bias=False)
        self.bn2 = nn.BatchNorm1d(2 * width)
        self.pool = nn.MaxPool1d(4)
        self.fc = nn.Linear(2 * width * 4, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        return self.fc(x.flatten(1))

"""The network: scores of the classes from one stretch of a signal."""

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Input [N, channels, samples], output [N, outputs].

    shape, outputs: the data's. width: [network] options may give it.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, width: int = 8) -> None:
        super().__init__()
        channels, samples = shape
        left = -(-samples // 4) // 4  # two strides of 2, then a pool of 4
        self.conv1 = nn.Conv1d(channels, width, 5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.conv2 = nn.Conv1d(width, 2 * width, 5, stride=2, padding=2, bias=False)
        self.bn2 = nn.BatchNorm1d(2 * width)
        self.pool = nn.MaxPool1d(4)
        self.fc = nn.Linear(2 * width * left, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        return self.fc(x.flatten(1))

"""The network: scores of the classes from one row."""

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """Input [N, features], output [N, outputs]. shape, outputs: the data's; width: [network] options may give it."""

    def __init__(self, shape: tuple[int, ...], outputs: int, width: int = 32) -> None:
        super().__init__()
        self.fc1 = nn.Linear(shape[0], width, bias=False)
        self.bn1 = nn.BatchNorm1d(width)
        self.fc2 = nn.Linear(width, width, bias=False)
        self.bn2 = nn.BatchNorm1d(width)
        self.fc3 = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.fc1(x)))
        x = torch.relu(self.bn2(self.fc2(x)))
        return self.fc3(x)

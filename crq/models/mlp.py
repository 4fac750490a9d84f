"""Dense networks, for tables and features: classifiers, regressions, autoencoders."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class MLP(nn.Module):
    """inputs – hidden … – classes, with batch norm and ReLU between, for [N, inputs] (or [N, …], flattened).

    An autoencoder has as many classes as inputs.
    """

    def __init__(self, inputs: int = 16, hidden: Sequence[int] = (64, 32, 32), classes: int = 5) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for out in hidden:
            layers += [nn.Linear(inputs, out, bias=False), nn.BatchNorm1d(out), nn.ReLU()]
            inputs = out
        self.hidden = nn.Sequential(*layers)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[N, classes]."""
        return self.fc(self.hidden(x))

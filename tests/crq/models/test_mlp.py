"""Dense networks of any width."""

import torch

from crq.models.mlp import MLP


def test_shapes_and_weights() -> None:
    net = MLP()
    assert net(torch.zeros(3, 16)).shape == (3, 5)
    assert sum(p.numel() for p in net.parameters() if p.dim() > 1) == 16 * 64 + 64 * 32 + 32 * 32 + 32 * 5
    assert MLP(6, (4,), 2)(torch.zeros(3, 2, 3)).shape == (3, 2)

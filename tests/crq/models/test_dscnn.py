"""The keyword-spotting network."""

import torch

import crq
from crq.models.dscnn import DSCNN


def test_its_size_is_the_published_one() -> None:
    net = DSCNN()
    weights = sum(p.numel() for p in net.parameters() if p.dim() > 1)
    assert weights == 40 * 64 + 4 * (9 * 64 + 64 * 64) + 64 * 12
    assert net(torch.zeros(2, 1, 40, 49)).shape == (2, 12)


def test_it_becomes_ternary() -> None:
    small = DSCNN(3, width=4, blocks=1)
    assert crq.prepare(small, example_input=torch.rand(2, 1, 10, 13))(torch.rand(2, 1, 10, 13)).shape == (2, 3)

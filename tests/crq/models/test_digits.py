"""The network for 8×8 images."""

import torch

from crq.models.digits import DigitsCNN


def test_about_four_thousand_weights() -> None:
    model = DigitsCNN()
    assert sum(p.numel() for p in model.parameters() if p.dim() > 1) == 9 * 8 + 9 * 8 * 16 + 16 * 16 * 10 == 3784
    assert model(torch.rand(3, 1, 8, 8)).shape == (3, 10)


def test_width_and_classes() -> None:
    model = DigitsCNN(classes=3, channels=2, width=5)
    assert [tuple(p.shape) for p in model.parameters() if p.dim() > 1] == [(5, 2, 3, 3), (10, 5, 3, 3), (3, 160)]

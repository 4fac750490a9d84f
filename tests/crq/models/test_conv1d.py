"""The network for signals."""

import torch

from crq.models.conv1d import SignalNet


def test_any_length_that_is_a_multiple_of_eight() -> None:
    for length, channels, classes in ((64, 1, 10), (128, 3, 4)):
        model = SignalNet(classes, channels, length, width=4).eval()
        assert model(torch.rand(2, channels, length)).shape == (2, classes)
        assert model.features(torch.rand(1, channels, length)).shape == (1, 16, length // 8)


def test_a_signal_may_be_shifted_by_eight() -> None:
    """Convolutions and pools commute with a shift by their total stride, away from the edges."""
    torch.manual_seed(0)
    features = SignalNet().eval().features
    x = torch.rand(1, 1, 128)
    moved = torch.roll(x, 8, 2)
    assert torch.allclose(features(moved)[:, :, 5:-4], features(x)[:, :, 4:-5], atol=1e-5)

"""AlexNet."""

import torch

from crq.models.alexnet import AlexNet


def test_shapes_and_weights() -> None:
    torch.manual_seed(0)
    model = AlexNet(classes=5, dense=64).eval()
    features = model.features(torch.rand(1, 3, 227, 227))
    assert features.shape == (1, 256, 6, 6)
    assert model.classifier(features).shape == (1, 5)
    convolutions = 3 * 96 * 11**2 + 96 * 256 * 5**2 + 9 * (256 * 384 + 384 * 384 + 384 * 256)
    assert sum(p.numel() for p in model.features.parameters() if p.dim() == 4) == convolutions
    assert sum(p.numel() for p in model.classifier.parameters() if p.dim() == 2) == 256 * 36 * 64 + 64 * 64 + 64 * 5

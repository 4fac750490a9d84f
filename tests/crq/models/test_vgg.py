"""VGG-7."""

import torch

from crq.models.vgg import VGG7


def weights(model: VGG7) -> list[tuple[int, ...]]:
    return [tuple(p.shape)[:2] for p in model.parameters() if p.dim() > 1]


def test_the_layers_of_the_paper() -> None:
    """TWN, section 3: 2×(128C3) – MP2 – 2×(256C3) – MP2 – 2×(512C3) – MP2 – 1024FC."""
    convolutions = [(128, 3), (128, 128), (256, 128), (256, 256), (512, 256), (512, 512)]
    assert weights(VGG7()) == [*convolutions, (1024, 512 * 16), (10, 1024)]


def test_widths_scale() -> None:
    assert weights(VGG7(width=64, dense=128))[-2:] == [(128, 256 * 16), (10, 128)]
    assert VGG7(classes=4, width=2).eval()(torch.rand(2, 3, 32, 32)).shape == (2, 4)

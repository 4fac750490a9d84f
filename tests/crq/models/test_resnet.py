"""Residual networks."""

import pytest
import torch
from torch import nn

from crq.errors import CrqError
from crq.models.resnet import BasicBlock, CifarResNet, ResNet18


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_the_cifar_family_has_the_papers_depths_and_sizes(depth: int, millions: float) -> None:
    """He et al. 2016, table 6; their shortcuts have no weights, ours 2·(16·32 + 32·64) less than a hundredth."""
    model = CifarResNet(depth)
    main = [m for name, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and "shortcut" not in name]
    assert len(main) == depth
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.015)


def test_other_depths_are_refused() -> None:
    for depth in (2, 18, 21):
        with pytest.raises(CrqError, match=rf"depth must be 6n \+ 2 .*, not {depth}"):
            CifarResNet(depth)


def test_a_block_of_zero_weights_is_the_identity_on_what_is_positive() -> None:
    block = BasicBlock(4, 4, 1).eval()
    nn.init.zeros_(block.conv2.weight)
    x = torch.randn(1, 4, 5, 5)
    assert torch.equal(block(x), x.relu())


def test_stages_halve_the_image_and_double_the_channels() -> None:
    x = torch.rand(1, 3, 32, 32)
    small = CifarResNet(8, width=4).eval()
    assert small.blocks(small.conv1(x)).shape == (1, 16, 8, 8)
    large = ResNet18(classes=6, width=4).eval()
    assert large.blocks(large.pool(large.conv1(torch.rand(1, 3, 64, 64)))).shape == (1, 32, 2, 2)
    assert large(torch.rand(1, 3, 64, 64)).shape == (1, 6)


def test_resnet18_has_the_usual_number_of_weights() -> None:
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_689_512  # torchvision's

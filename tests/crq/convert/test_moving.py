"""Modules that move codes, as steps on integers with the ranges of their channels."""

import numpy as np
import pytest
import torch
from torch import nn

from crq.convert.channels import Channels
from crq.convert.moving import moving
from crq.convert.pixels import Pixels, Row

MODULES = {
    "channels": Channels([3, -1, 0]),
    "pixels": Pixels([(1, 4, 1), (0, 6, 2)]),
    "shuffle": nn.PixelShuffle(2),
    "unshuffle": nn.PixelUnshuffle(2),
    "enlarge": nn.Upsample(scale_factor=2),
    "enlarge rows": nn.UpsamplingNearest2d(scale_factor=(3, 1)),
    "row": Row(True),
}


@pytest.mark.parametrize("name", MODULES)
def test_steps_compute_what_modules_do(name: str) -> None:
    torch.manual_seed(0)
    module, lo, hi = MODULES[name], np.array([-9, 0, -3, 5]), np.array([2, 7, -1, 6])
    image = (64, 1 if name == "row" else 4, 6)
    x = torch.stack([torch.randint(a, b + 1, image) for a, b in zip(lo, hi, strict=True)], 1)
    step, low, high = moving(module, lo, hi, 2)
    found = step(x)
    assert torch.equal(found, module(x.double()).long())
    channels = found.transpose(0, 1).flatten(1)
    assert np.array_equal(channels.min(1).values.numpy(), low)
    assert np.array_equal(channels.max(1).values.numpy(), high)

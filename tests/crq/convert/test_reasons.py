"""Reasons are found however the operation is spelt."""

import pytest
from torch import nn

from crq.convert.reasons import REASONS, remedy


@pytest.mark.parametrize("name", ["layer_norm", "LayerNorm", "GroupNorm", "InstanceNorm2d", "group_norm"])
def test_norms_of_each_image(name: str) -> None:
    assert "statistic of its own" in remedy(name)


def test_names_are_spelt_as_they_are_looked_up() -> None:
    assert all(remedy(name) == reason for name, reason in REASONS.items())
    assert remedy("relu") == ""


def test_layers_whose_weights_are_computed() -> None:
    plain = nn.Conv2d(1, 2, 3)
    computed = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 2, 3))
    assert remedy(type(plain).__name__) == ""
    assert "remove_parametrizations" in remedy(type(computed).__name__)

"""Networks by name."""

import pytest
import torch

from crq import models
from crq.errors import CrqError


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(CrqError, match=r"unknown network 'lenett' \(did you mean 'lenet'\?\); known networks are"):
        models.build("lenett")
    with pytest.raises(CrqError, match="network 'lenet': .*unexpected keyword argument 'depth'"):
        models.build("lenet", depth=3)


def test_a_name_may_stand_for_options_that_can_still_be_given() -> None:
    assert len(models.build("resnet32").blocks) == 15
    assert len(models.build("resnet32", depth=8).blocks) == 3
    assert models.names() == sorted(models.names())


def test_weights_follow_torchs_random_state() -> None:
    torch.manual_seed(5)
    a = models.build("digits-cnn")
    torch.manual_seed(5)
    b = models.build("digits-cnn")
    assert torch.equal(a.conv1.weight, b.conv1.weight)

"""Networks by name."""

import inspect

import pytest
import torch

from crq import models
from crq.errors import CrqError


def test_unknown_names_and_options_are_named() -> None:
    with pytest.raises(CrqError, match=r"unknown network 'lenett' \(did you mean 'lenet'\?\); expected module:name"):
        models.build("lenett")
    with pytest.raises(CrqError, match="network 'lenet': .*unexpected keyword argument 'depth'"):
        models.build("lenet", depth=3)


MINE = """
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.fc = nn.Linear(64, width)

def broken():
    return 1 / 0

def number():
    return 3
"""


def test_a_network_of_the_users(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "net_of_this_test.py").write_text(MINE)
    assert models.build("net_of_this_test:Net", width=7).fc.out_features == 7
    with pytest.raises(CrqError, match="network net_of_this_test:Net: .*unexpected keyword argument 'depth'"):
        models.build("net_of_this_test:Net", depth=3)
    with pytest.raises(CrqError, match=r"network net_of_this_test:broken: broken\(\) failed: ZeroDivisionError"):
        models.build("net_of_this_test:broken")
    with pytest.raises(CrqError, match=r"network net_of_this_test:number gave int; expected an nn\.Module"):
        models.build("net_of_this_test:number")


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


def test_arguments_are_those_that_build_takes() -> None:
    assert models.arguments("jet-mlp")["inputs"] == 16
    for name in models.names():
        assert set(models.arguments(name)) >= set(models._HOMES[name][2])
    models.build(
        "resnet20", **{k: v for k, v in models.arguments("resnet20").items() if v is not inspect.Parameter.empty}
    )
    assert models.arguments("builtins:dict") == {}
    with pytest.raises(CrqError, match="unknown network"):
        models.arguments("lenett")

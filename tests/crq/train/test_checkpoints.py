"""Checkpoints: whole, or named."""

import shutil

import pytest
import torch

from crq.errors import CrqError
from crq.train.checkpoints import check_fits, restore, save
from tests.support.recipes import run


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04"])
def test_damaged_checkpoints_are_named(finished, tmp_path, content: bytes) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    (folder / "checkpoints" / "finetune.pt").unlink()
    for name in ("finetune-last.ckpt", "pretrain.pt"):
        (folder / "checkpoints" / name).write_bytes(content)
        with pytest.raises(CrqError, match=rf"checkpoints/{name} is damaged: remove it and resume"):
            run(folder, resume=True)


def test_what_is_saved_comes_back(tmp_path) -> None:
    state = {"weights": torch.randn(3), "epoch": 4}
    save(state, tmp_path / "deep" / "a.pt")
    found = restore(tmp_path / "deep" / "a.pt")
    assert torch.equal(found["weights"], state["weights"])
    assert found["epoch"] == 4
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.pt"]


def test_what_is_no_state_is_damaged(tmp_path) -> None:
    save([1, 2], tmp_path / "a.pt")
    with pytest.raises(CrqError, match=r"a\.pt is damaged"):
        restore(tmp_path / "a.pt")


def test_a_state_of_another_network_is_named(tmp_path) -> None:
    network, source = torch.nn.Linear(2, 3), tmp_path / "retrain.pt"
    check_fits(network, network.state_dict(), source)
    for other in (torch.nn.Linear(2, 4).state_dict(), {"weight": network.weight}, {}):
        with pytest.raises(CrqError, match=r"retrain\.pt does not fit the network, at '(weight|bias)'"):
            check_fits(network, other, source)

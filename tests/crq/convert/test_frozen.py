"""The frozen model: exact wherever it runs, saved whole, changed by nobody."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from crq.convert.frozen import FrozenModel, frozen_file
from crq.errors import CrqError
from tests.support.nets import NETWORKS, Branches, Plain, Residual, frozen, images


def test_logits_are_integers_times_scale() -> None:
    model = frozen(Plain)
    x = images(Plain, 8)
    expected = model.integers(x).numpy().astype(np.float32) * model.output.scale.numpy()
    np.testing.assert_array_equal(model(x).numpy(), expected)
    torch.testing.assert_close(model(x.float() / 256), model(x), rtol=0, atol=0)


@pytest.mark.parametrize("network", [Plain, Residual])
def test_exact_for_any_batch_threads_layout_and_backend(network: type[nn.Module]) -> None:
    model = frozen(network, seed=2)
    x = images(network, 33, seed=4)
    expected = model.integers(x)
    threads = torch.get_num_threads()
    try:
        for n in (1, 2, 5):
            torch.set_num_threads(n)
            assert torch.equal(model.integers(x), expected)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.cat([model.integers(x[i : i + 1]) for i in range(len(x))]), expected)
    assert torch.equal(model.integers(x.contiguous(memory_format=torch.channels_last)), expected)
    with torch.backends.mkldnn.flags(enabled=False), torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model.integers(x), expected)
        assert model(x).dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_exact_on_a_gpu(network: type[nn.Module]) -> None:
    model = frozen(network)
    x = images(network, 16)
    expected = model.integers(x)
    assert torch.equal(model.cuda().integers(x.cuda()).cpu(), expected)


def test_save_and_load_round_trip(tmp_path) -> None:
    model = frozen(Residual)
    model.save(tmp_path / "frozen.pt")
    again = FrozenModel.load(tmp_path / "frozen.pt")
    x = images(Residual, 8)
    assert torch.equal(again.integers(x), model.integers(x))
    assert again.content_hash == model.content_hash
    assert [p.name for p in tmp_path.iterdir()] == ["frozen.pt"]


def test_content_hash_sees_one_flipped_code(tmp_path) -> None:
    model, other = frozen(Plain), frozen(Plain)
    assert model.content_hash == other.content_hash
    other.steps["conv1"].codes[0, 0, 0, 0] += 1 if other.steps["conv1"].codes[0, 0, 0, 0] < 1 else -1
    assert model.content_hash != other.content_hash


def test_a_tampered_file_is_refused(tmp_path) -> None:
    path = tmp_path / "frozen.pt"
    frozen(Plain).save(path)
    state = torch.load(path, weights_only=True)
    state["steps"][0]["tensors"]["codes"][0] = 0
    torch.save(state, path)
    with pytest.raises(CrqError, match="hash"):
        FrozenModel.load(path)
    path.write_bytes(b"not a model")
    with pytest.raises(CrqError, match=r"frozen\.pt: not a frozen crq model"):
        FrozenModel.load(path)
    with pytest.raises(CrqError, match="no such file"):
        FrozenModel.load(tmp_path / "missing.pt")


def test_inputs_off_the_grid_raise() -> None:
    model = frozen(Plain)
    x = images(Plain, 2).float() / 255
    with pytest.raises(CrqError, match=r"multiples of 0\.00390625"):
        model(x)
    assert model.codes(x, quantize=True).max() <= 255
    with pytest.raises(CrqError, match=r"outside \[0, 255\]"):
        model(torch.full((1, *Plain.shape), 256))
    with pytest.raises(CrqError, match="expected"):
        model(torch.zeros(1, 1, 9, 9, dtype=torch.uint8))
    for quantize in (False, True):
        with pytest.raises(CrqError, match="input values are not finite"):
            model(torch.full((1, *Plain.shape), float("nan")), quantize=quantize)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_no_images_have_no_scores(network: type[nn.Module]) -> None:
    model = frozen(network)
    assert model(images(network, 2)[:0]).shape == (0, *model(images(network, 2)).shape[1:])


@pytest.mark.parametrize("change", ["half", "bfloat16", "double"])
def test_dtype_changes_raise(change: str) -> None:
    with pytest.raises(CrqError, match="dtype"):
        getattr(frozen(Plain), change)()


def test_a_run_folder_stands_for_the_file_in_it(tmp_path) -> None:
    assert frozen_file(tmp_path) == tmp_path / "frozen.pt"
    assert frozen_file(tmp_path / "other.pt") == tmp_path / "other.pt"
    (tmp_path / "train").mkdir()  # the folder of `crq run` has that of the training inside
    (tmp_path / "train" / "frozen.pt").write_bytes(b"")
    assert frozen_file(tmp_path) == tmp_path / "train" / "frozen.pt"


def test_pools_of_sums_give_no_codes() -> None:
    """`grouped` is pooled before its batch norm, `depthwise` after its activation."""
    assert frozen(Branches).code_steps() == [
        "depthwise_quant", "depthwise_quant_pool", "grouped_quant", "cat", "average_quant",
    ]  # fmt: skip

"""Training through torch.compile gives what training without it gives."""

import shutil

import pytest
import torch
from torch import nn

from crq.convert.prepare import prepare
from crq.convert.quantize import quantize
from crq.errors import CrqError
from crq.train import recipe
from crq.train.compiled import compiled
from crq.train.trainer import train_recipe
from tests.support.recipes import values

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")


@pytest.mark.slow  # builds two networks; tests/end_to_end/test_compile.py is quick
@needs_compiler
def test_a_compiled_step_has_the_outputs_and_gradients_of_a_plain_one() -> None:
    torch.manual_seed(0)
    network = prepare(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)))
    images = torch.randint(0, 256, (8, 1, 6, 6)) / 256
    quantize(network, [images], batches=None)
    network.train()
    network(images)  # calibrates what waits for a first batch
    found = []
    for run in (network, compiled(network)):
        network.zero_grad()
        outputs = run(images)
        (outputs * torch.arange(3.0)).sum().backward()
        found.append(
            (outputs.detach(), {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None})
        )
    (plain, expected), (fused, gradients) = found
    torch.testing.assert_close(fused, plain, rtol=1e-4, atol=1e-4)
    assert gradients.keys() == expected.keys()
    assert any("log2_scale" in name for name in gradients)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-3, msg=name)


def test_without_a_compiler_a_run_says_what_to_install(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(CrqError, match="fused = true needs a C.. compiler, and no-such-compiler is not on the PATH"):
        train_recipe(recipe.parse(values(fused=True, steps=1)), tmp_path / "run")


def test_a_teachers_layers_cannot_be_watched_in_a_compiled_network() -> None:
    with pytest.raises(CrqError, match=r"finetune\.distill\.layers looks inside the network"):
        recipe.parse(values(fused=True, finetune__distill={"layers": 0.1}))


@pytest.mark.slow  # torch.compile builds two networks in each of two modes
@needs_compiler
def test_a_compiled_run_ends_in_files_of_the_plain_network(tmp_path) -> None:
    plan = recipe.parse(values(fused=True, steps=3, finetune__distill={}))
    summary = train_recipe(plan, tmp_path / "run")
    plain = train_recipe(recipe.parse(values(steps=3, finetune__distill={})), tmp_path / "plain")
    assert summary.keys() == plain.keys()
    trained, expected = (
        torch.load(tmp_path / name / "checkpoints" / "finetune.pt", weights_only=True)["network"]
        for name in ("run", "plain")
    )
    assert trained.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(trained[name], value, rtol=1e-3, atol=1e-3, msg=name)
    assert any(not torch.equal(trained[name], value) for name, value in expected.items())  # another order of sums


def test_a_share_that_grows_is_not_built_anew_in_every_step() -> None:
    with pytest.raises(CrqError, match=r'finetune\.gradual by "share" is another network in every step'):
        recipe.parse(values(fused=True, finetune__gradual={"by": "share"}))

"""Gradual quantization: which weights are codes when, and that all are at the end."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import crq
from crq.errors import CrqError
from crq.quant.methods import METHOD_NAMES
from crq.train import fit, recipe
from crq.train.gradual import GradualQuantization, set_shares
from tests.support.recipes import run, values


def network(method: str = "ste") -> nn.Module:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 4))
    model = crq.prepare(plain, crq.TernaryConfig(method=method))
    crq.set_mode(model, "quantized")
    return model


@pytest.mark.parametrize("method", METHOD_NAMES)
@given(done=st.floats(0, 1))
def test_the_largest_weights_are_codes_first(method: str, done: float) -> None:
    model = network(method)
    set_shares(model, "share", done)
    for layer in crq.coded_layers(model).values():
        weight, used = layer.weight.detach(), layer.used_weight().detach()
        layer.share = 1.0
        codes = layer.used_weight().detach()
        count = round(done * weight.numel())
        first = weight.abs().flatten().argsort(descending=True, stable=True)[:count]
        expected = weight.flatten().clone()
        expected[first] = codes.flatten()[first]
        assert torch.equal(used.flatten(), expected)


def test_gradients_reach_all_weights() -> None:
    model = network()
    set_shares(model, "share", 0.5)
    layer = next(iter(crq.coded_layers(model).values()))
    given = torch.randn_like(layer.weight)
    (layer.used_weight() * given).sum().backward()
    assert torch.equal(layer.weight.grad, given)


@pytest.mark.parametrize(
    ("done", "expected"), [(0.0, [0, 0, 0]), (0.34, [1, 0, 0]), (0.67, [1, 1, 0]), (0.99, [1, 1, 0]), (1.0, [1, 1, 1])]
)
def test_layers_follow_each_other(done: float, expected: list[int]) -> None:
    model = network()
    set_shares(model, "layers", done)
    assert [layer.share for layer in crq.coded_layers(model).values()] == expected


def test_what_is_not_quantized_is_not_frozen() -> None:
    model = network()
    set_shares(model, "share", 0.9)
    with pytest.raises(CrqError, match="layer '0' computes with codes in 90% of its weights only"):
        crq.freeze(model, [torch.rand(4, 16)])


@pytest.mark.parametrize("by", ["layers", "share"])
def test_a_recipe_ends_with_codes_alone(by: str, tmp_path, monkeypatch) -> None:
    seen: list[float] = []

    class Watched(GradualQuantization):
        def on_train_batch_start(self, trainer, pl_module, *rest) -> None:
            super().on_train_batch_start(trainer, pl_module, *rest)
            layers = crq.coded_layers(pl_module).values()
            seen.append(sum(layer.share for layer in layers) / len(layers))

    monkeypatch.setattr(fit, "GradualQuantization", Watched)
    summary = run(
        tmp_path / "run", pretrain__epochs=1, retrain__epochs=0, ternary={"method": "ste"},
        finetune={"epochs": 2, "lr": 0.02, "gradual": {"by": by, "until": 0.5}},
    )  # fmt: skip
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[len(seen) // 2 :] == [1.0] * (len(seen) - len(seen) // 2)
    assert summary["accuracy"]["frozen"] > 0.5


def test_a_phase_that_is_too_short_fails_loudly(tmp_path) -> None:
    late = {"epochs": 1, "lr": 0.02, "gradual": {"by": "share", "until": 0.95}}
    with pytest.raises(CrqError, match=r"float weights in .*gradual\.until = 0\.95 of its 3 steps"):
        run(tmp_path / "run", pretrain__epochs=1, retrain__epochs=0, ternary={"method": "ste"}, finetune=late, steps=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"retrain__gradual": {"by": "share"}}, r"retrain\.gradual: the retrain has float weights"),
        ({"finetune__gradual": {"by": "share"}, "finetune__patience": 2}, "give one of them"),
        ({"finetune__gradual": {"by": "halves"}}, r"finetune\.gradual\.by"),
    ],
)
def test_what_cannot_be_is_told(changes: dict, message: str) -> None:
    with pytest.raises(CrqError, match=message):
        recipe.parse(values(**changes))

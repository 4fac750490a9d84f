"""The methods: codes and α from weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import crq
from crq.errors import CrqError
from crq.quant import METHOD_NAMES, cluster, methods
from crq.quant.layers import TernaryLinear

ONE_SCALE = [name for name in METHOD_NAMES if name != "ttq"]


def test_twn_threshold_and_scale() -> None:
    weight = torch.tensor([[0.1, -0.2, 0.9, -1.0, 0.8, 0.0]])  # mean |w| = 0.5, Δ = 0.35
    found = methods.get("twn").ternarize(weight, False, "fc")
    assert found.codes.tolist() == [[0, 0, 1, -1, 1, 0]]
    assert float(found.alpha) == pytest.approx(0.9)


def test_ste_is_mean_and_round() -> None:
    weight = torch.tensor([[0.1, -0.2, 0.9, -1.0, 0.8, 0.0]])  # α = 0.5; |w|/α rounds to 1 from 0.25 up
    found = methods.get("ste").ternarize(weight, False, "fc")
    assert found.codes.tolist() == [[0, 0, 1, -1, 1, 0]]
    assert float(found.alpha) == pytest.approx(0.5)


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(CrqError, match=r"unknown method 'cqr' \(did you mean 'crq'\?\)"):
        methods.get("cqr")


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_every_method_by_its_name(name: str) -> None:
    assert methods.get(name).name == name
    found = methods.get(name).ternarize(torch.zeros(2, 3), False, "fc")
    assert (float(found.alpha), int(found.codes.abs().sum())) == (0.0, 0)
    with pytest.raises(CrqError, match="fc has non-finite weights"):
        methods.get(name).ternarize(torch.tensor([[1.0, float("nan")]]), False, "fc")


def test_crq_plus_is_never_worse_than_crq() -> None:
    for seed in range(20):
        weight = torch.randn(8, 40, generator=torch.Generator().manual_seed(seed)) ** 3
        costs = [methods.get(name).ternarize(weight, False, "fc").cost(weight) for name in ("crq+", "crq")]
        assert costs[0] <= costs[1] * (1 + 1e-6)


def lsq_layer(per_channel: bool = False) -> TernaryLinear:
    torch.manual_seed(3)
    model = crq.prepare(nn.Sequential(nn.Linear(40, 6)), crq.TernaryConfig(method="lsq", per_channel=per_channel))
    (found,) = crq.coded_layers(model).values()
    found.switch("quantized")
    return found


def test_lsq_starts_at_the_best_scale_of_gaussian_weights() -> None:
    weight = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    best = cluster.exact_scale(weight, name="w")
    assert float(methods.get("lsq").ternarize(weight, False, "w").alpha) == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("per_channel", [False, True])
def test_an_lsq_layer_computes_with_what_is_exported(per_channel: bool) -> None:
    found = lsq_layer(per_channel)
    codes = found.codes()
    assert torch.equal(found.used_weight(), codes.dequantized())
    weight, alpha = found.weight.detach().double().numpy(), codes.alpha.double().numpy().reshape(-1, 1)
    assert np.array_equal(codes.codes.numpy(), np.round(np.clip(weight / alpha, -1, 1)))
    assert codes.alpha.shape == ((6,) if per_channel else ())


def test_lsq_has_the_papers_gradients() -> None:
    """Σ g·(t − w/α) and Σ g·t beyond α, times mean |w|, over √N; nothing for weights beyond α."""
    found = lsq_layer()
    given = torch.randn(6, 40, generator=torch.Generator().manual_seed(1))
    (found.used_weight() * given).sum().backward()
    weight, gradient = found.weight.detach().double().numpy(), given.double().numpy()
    mean = np.abs(weight).mean()
    ratio = weight / (methods.LSQ.start * mean)
    inside = np.abs(ratio) <= 1
    assert 0 < inside.mean() < 1
    change = np.where(inside, np.round(np.clip(ratio, -1, 1)) - ratio, np.sign(ratio))
    expected = (gradient * change * mean).sum() / math.sqrt(weight.size)
    assert float(found.scale_share_step.grad) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(found.weight.grad.numpy(), gradient * inside, rtol=1e-6)


def test_lsq_learns_its_scale() -> None:
    """Towards a target that another scale fits; then the frozen layer has that scale."""
    torch.manual_seed(0)
    model = crq.prepare(nn.Sequential(nn.Linear(40, 6)), crq.TernaryConfig(method="lsq", act_bits=None))
    (found,) = crq.coded_layers(model).values()
    crq.set_mode(model, "quantized")
    before = found.codes()
    optimizer = torch.optim.SGD([found.scale_share_step], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        ((found.used_weight() - 0.5 * before.dequantized()) ** 2).sum().backward()
        optimizer.step()
    assert float(found.codes().alpha) < 0.8 * float(before.alpha)


def test_weights_of_zero_of_lsq_have_codes_of_zero() -> None:
    found = lsq_layer()
    with torch.no_grad():
        found.weight.zero_()
    assert not found.used_weight().any()
    assert float(found.codes().alpha) == 0

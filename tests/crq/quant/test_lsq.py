"""Learned step size: its codes, its gradients against finite differences of what they approximate, its export."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import crq
from crq.quant import cluster, methods
from crq.quant.layers import TernaryLinear

LSQ = methods.LSQ


def layer(per_channel: bool = False) -> TernaryLinear:
    torch.manual_seed(3)
    model = crq.prepare(nn.Sequential(nn.Linear(40, 6)), crq.TernaryConfig(method="lsq", per_channel=per_channel))
    (found,) = crq.coded_layers(model).values()
    found.switch("quantized")
    return found


def test_it_starts_at_the_best_scale_of_gaussian_weights() -> None:
    weight = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    best = cluster.exact_scale(weight, name="w")
    assert float(methods.get("lsq").ternarize(weight, False, "w").alpha) == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("per_channel", [False, True])
def test_the_layer_computes_with_what_is_exported(per_channel: bool) -> None:
    found = layer(per_channel)
    codes = found.codes()
    assert torch.equal(found.used_weight(), codes.dequantized())
    weight, alpha = found.weight.detach().double().numpy(), codes.alpha.double().numpy().reshape(-1, 1)
    assert np.array_equal(codes.codes.numpy(), np.round(np.clip(weight / alpha, -1, 1)))
    assert codes.alpha.shape == ((6,) if per_channel else ())


def test_gradients_are_those_of_the_paper() -> None:
    """Σ g·(t − w/α) and Σ g·t beyond α, times mean |w|, over √N; nothing for weights beyond α."""
    found = layer()
    given = torch.randn(6, 40, generator=torch.Generator().manual_seed(1))
    (found.used_weight() * given).sum().backward()
    weight, gradient = found.weight.detach().double().numpy(), given.double().numpy()
    mean = np.abs(weight).mean()
    ratio = weight / (LSQ.start * mean)
    inside = np.abs(ratio) <= 1
    assert 0 < inside.mean() < 1
    change = np.where(inside, np.round(np.clip(ratio, -1, 1)) - ratio, np.sign(ratio))
    expected = (gradient * change * mean).sum() / math.sqrt(weight.size)
    assert float(found.scale_share_step.grad) == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(found.weight.grad.numpy(), gradient * inside, rtol=1e-6)


def test_the_scale_is_learned_and_frozen() -> None:
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


def test_weights_of_zero_have_codes_of_zero() -> None:
    found = layer()
    with torch.no_grad():
        found.weight.zero_()
    assert not found.used_weight().any()
    assert float(found.codes().alpha) == 0

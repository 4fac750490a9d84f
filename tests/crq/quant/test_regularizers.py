"""Penalties of the related papers: their values against the formulas, and that they do what they are for."""

import math

import pytest
import torch
from torch import nn

import crq
from crq.quant import cluster
from crq.quant.regularizers import LInfinity, Margin, Representatives, SoftMinMax, entropy_constrained, fisher
from crq.train.size import entropy


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    net = crq.prepare(nn.Sequential(nn.Linear(20, 15), nn.ReLU(), nn.Linear(15, 5)))
    with torch.no_grad():
        net.get_submodule("0").weight[0, 0] = 3.0  # an outlier
    return net


def weights(net: nn.Module) -> list[torch.Tensor]:
    return [layer.weight.detach() for layer in crq.coded_layers(net).values()]


def test_values_follow_the_formulas(model) -> None:
    assert float(LInfinity(model, 0.5)().detach()) == pytest.approx(
        0.5 * sum(float(w.abs().max()) for w in weights(model))
    )

    def margin(w):
        m = 2 * w.std()
        return float(m + (w.abs() - m).clamp_min(0).sum())

    assert float(Margin(model, 2.0)().detach()) == pytest.approx(2.0 * sum(margin(w) for w in weights(model)), rel=1e-5)

    def soft(w):
        beta = math.exp(0.7)
        up, down = torch.exp(beta * (w - w.max())), torch.exp(-beta * (w - w.min()))
        return float((w * up).sum() / up.sum() - (w * down).sum() / down.sum() + math.exp(-beta))

    assert float(SoftMinMax(model, 1.0)().detach()) == pytest.approx(sum(soft(w) for w in weights(model)), rel=1e-4)

    def nearest(w):
        levels = torch.tensor([-1.0, 0.0, 1.0]) * cluster.histogram(w).alpha
        return float((w[..., None] - levels).square().min(-1).values.sum())

    expected = sum(nearest(w) for w in weights(model))
    assert float(Representatives(model, 1.0)().detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", [LInfinity, Margin, SoftMinMax])
def test_range_regularization_pulls_the_outlier_in(model, kind) -> None:
    penalty = kind(model, 1.0)
    optimizer = torch.optim.SGD([*model.parameters(), *penalty.parameters()], lr=0.05)
    middle = weights(model)[0].flatten().abs().median().clone()
    for _ in range(200 if kind is SoftMinMax else 60):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    after = weights(model)[0].abs()
    assert float(after.max()) < 1.5
    if kind is not SoftMinMax:  # which tightens the whole distribution
        assert float(after.flatten().median()) == pytest.approx(float(middle), rel=0.3)
    assert all(torch.isfinite(p).all() for p in penalty.parameters())


@pytest.mark.parametrize("levels", [3, 8])
def test_representatives_learn_the_clusters(model, levels: int) -> None:
    penalty = Representatives(model, 1.0, levels)
    start = [p.detach().clone() for p in penalty.parameters()]
    first = float(penalty().detach())
    optimizer = torch.optim.Adam([*model.parameters(), *penalty.parameters()], lr=0.01)
    for _ in range(300):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    assert float(penalty().detach()) < 0.1 * first
    assert any(not torch.equal(a, b.detach()) for a, b in zip(start, penalty.parameters(), strict=True))


def test_fisher_is_the_mean_square_gradient_and_weighs_the_clusters(model) -> None:
    xs = [torch.rand(8, 20) for _ in range(3)]
    h = fisher(model, [model(x).square().mean() for x in xs])
    expected = torch.zeros(15, 20)
    for x in xs:
        model.zero_grad()
        model(x).square().mean().backward()
        expected += model.get_submodule("0").weight.grad ** 2 / 3
    assert torch.allclose(h["0"], expected, rtol=1e-4)
    w = weights(model)[0]
    assert cluster.exact(w, h["0"]).cost(w, h["0"]) <= cluster.exact(w).cost(w, h["0"]) * (1 + 1e-6)


def test_entropy_constraint_trades_distortion_for_bits() -> None:
    g = torch.Generator().manual_seed(0)
    w, h = torch.randn(5000, generator=g), torch.rand(5000, generator=g) + 0.1
    points = []
    for lam in (0.0, 0.02, 0.1):
        indices, values = entropy_constrained(w, h, 16, lam)
        distortion = float((h * (w - values[indices]).square()).mean())
        points.append((entropy(torch.bincount(indices).tolist()), distortion))
    assert points[0][0] > points[1][0] > points[2][0]
    assert points[0][1] < points[1][1] < points[2][1]
    # λ = 0 is k-means: each level is the weighted mean of its members.
    indices, values = entropy_constrained(w, h, 4, 0.0, iterations=1000)
    for level in range(4):
        members = indices == level
        assert float(values[level]) == pytest.approx(float((h * w)[members].sum() / h[members].sum()), abs=1e-4)

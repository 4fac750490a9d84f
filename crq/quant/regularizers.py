"""Penalties of related papers, behind the interface of `crq.quant.penalties.Penalty`.

All are meant for full-precision training before clustering. Those that learn something hold it as parameters: give
`penalty.parameters()` to the optimizer beside the model's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from crq.quant import cluster
from crq.quant.penalties import Penalty


class LInfinity(Penalty):
    """Range regularization R², L∞ form: Σ over layers of max|W| (Kundu et al., R² loss)."""

    def term(self, name: str, weight: Tensor) -> Tensor:
        return weight.abs().max()


class Margin(Penalty):
    """Range regularization R², margin form: M + Σ max(|w| − M, 0), the margin M ≥ 0 of each layer learned.

    M starts at twice the layer's standard deviation, so that only outliers are pulled at first.
    """

    def __init__(self, model: nn.Module, lam: float) -> None:
        super().__init__(model, lam)
        starts = {_key(name): nn.Parameter(2 * layer.weight.detach().std()) for name, layer in self.layers.items()}
        self.margins = nn.ParameterDict(starts)

    def term(self, name: str, weight: Tensor) -> Tensor:
        margin = self.margins[_key(name)].abs()
        return margin + (weight.abs() - margin).clamp_min(0).sum()


class SoftMinMax(Penalty):
    """Range regularization R², soft form: s_max − s_min + e^(−β), with a learned temperature β > 0 per layer.

    s_max = Σ w·e^{β(w − max)} / Σ e^{β(w − max)}, s_min likewise: every weight near the ends feels the pull, more of
    them at a small β, which e^(−β) keeps from shrinking to nothing.
    """

    def __init__(self, model: nn.Module, lam: float) -> None:
        super().__init__(model, lam)
        # Learned as a logarithm, so that it stays positive; e^0.7 ≈ 2 is soft at usual weight ranges.
        self.log_temperature = nn.ParameterDict({_key(name): nn.Parameter(torch.tensor(0.7)) for name in self.layers})

    def term(self, name: str, weight: Tensor) -> Tensor:
        temperature = self.log_temperature[_key(name)].exp()
        w = weight.flatten()
        largest = (w * torch.softmax(temperature * w, 0)).sum()
        smallest = (w * torch.softmax(-temperature * w, 0)).sum()
        return largest - smallest + torch.exp(-temperature)


class Representatives(Penalty):
    """Quantization-aware regularizer (Malchiodi et al.): Σ min_j (w − r_j)², the representatives r learned too.

    levels: representatives per layer; 3 start at −α, 0, α of Eq. 3, other numbers at the layer's quantiles. A level's
    gradient sums over its weights: learn it with Adam or a small rate.
    """

    def __init__(self, model: nn.Module, lam: float, levels: int = 3) -> None:
        super().__init__(model, lam)
        starts = {}
        for name, layer in self.layers.items():
            weight = layer.weight.detach()
            if levels == 3:
                alpha = cluster.histogram(weight, name=name).alpha
                start = torch.stack([-alpha, torch.zeros_like(alpha), alpha])
            else:
                ordered = weight.flatten().sort().values
                shares = (torch.arange(levels) + 0.5) / levels
                start = ordered[(shares * len(ordered)).long()].clone()
            starts[_key(name)] = nn.Parameter(start)
        self.representatives = nn.ParameterDict(starts)

    def term(self, name: str, weight: Tensor) -> Tensor:
        levels = self.representatives[_key(name)]
        ordered = levels.detach().sort()
        edges = (ordered.values[1:] + ordered.values[:-1]) / 2
        # The nearest representative by bisection: a distance matrix would take `levels` times the memory.
        nearest = ordered.indices[torch.bucketize(weight.detach(), edges)]
        return (weight - levels[nearest]).square().sum()


def build(name: str, model: nn.Module, lam: float, levels: int = 3) -> Penalty:
    """The penalty that recipes call `name`; levels: for representatives."""
    if name == "representatives":
        return Representatives(model, lam, levels)
    return {"l-infinity": LInfinity, "margin": Margin, "soft-min-max": SoftMinMax}[name](model, lam)


def fisher(model: nn.Module, loss_batches: list[Tensor]) -> dict[str, Tensor]:
    """Diagonal empirical Fisher of each ternary layer's weights: the mean square gradient over the given losses.

    It stands in for the Hessian in Hessian-weighted clustering: `cluster.exact(weight, fisher(...)[name])`.
    """
    layers = Penalty(model, 0.0).layers
    weights = [layer.weight for layer in layers.values()]
    squares = [torch.zeros_like(weight) for weight in weights]
    for loss in loss_batches:
        for square, gradient in zip(squares, torch.autograd.grad(loss, weights), strict=True):
            square.add_(gradient.square(), alpha=1 / len(loss_batches))
    return dict(zip(layers, squares, strict=True))


def entropy_constrained(
    weight: Tensor, hessian: Tensor, levels: int, lam: float, iterations: int = 50
) -> tuple[Tensor, Tensor]:
    """Entropy-constrained scalar quantization (Choi et al. 2017, section 4.2): indices (int64) and level values.

    Minimises Σ h(w − r)² + λ·Σ −log2 p(r) by alternating assignment and weighted means; with λ = 0 this is
    Hessian-weighted k-means. Levels that no weight chooses vanish.
    """
    w, h = weight.detach().flatten().double(), hessian.detach().flatten().double()
    values = torch.linspace(float(w.min()), float(w.max()), levels, dtype=torch.float64)
    bits = torch.full((levels,), math.log2(levels), dtype=torch.float64)
    indices = torch.full_like(w, -1, dtype=torch.int64)
    for _ in range(iterations):
        best, chosen = torch.full_like(w, math.inf), torch.zeros_like(indices)
        for index, (value, length) in enumerate(zip(values, bits, strict=True)):
            cost = h * (w - value).square() + lam * length
            chosen = torch.where(cost < best, index, chosen)
            best = torch.minimum(best, cost)
        if torch.equal(chosen, indices):
            break
        indices = chosen
        mass = torch.zeros(len(values), dtype=torch.float64).index_add_(0, indices, h)
        total = torch.zeros(len(values), dtype=torch.float64).index_add_(0, indices, h * w)
        counts = torch.bincount(indices, minlength=len(values)).double()
        values = torch.where(mass > 0, total / mass.clamp_min(1e-300), values)
        bits = -torch.log2(counts / len(w))  # infinite for an empty level: nobody chooses it again
        if lam == 0:
            bits = torch.where(torch.isinf(bits), 0.0, bits)
    return indices.reshape(weight.shape), values.float()


def _key(name: str) -> str:
    """A layer's name as a ParameterDict key, which may not hold dots."""
    return name.replace(".", "/")

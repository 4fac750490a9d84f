"""The methods: how float weights become α·t, and which phases carry the penalty.

A method is a small class with a `ternarize` from weight to (codes, α) and, where it learns scales, a `weight` of
its own. `get(name)` returns one.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from crq.errors import CrqError, nearest, non_finite
from crq.quant import FINETUNED, METHOD_NAMES, RETRAINED, cluster, learned
from crq.quant.cluster import Clusters
from crq.quant.solve import Known, Route, Solved, scale, solve


class Layer(Protocol):
    """What a method uses of the layer it makes ternary; `crq.quant.layers.TernaryLayer` is one."""

    weight: Tensor
    per_channel: bool
    layer_name: str
    known: Known | None


class Method:
    """Base: one α per layer (or output channel), straight-through gradient to the float weights.

    penalize_retrain / penalize_finetune: whether λ·J acts in the phase of that name.
    lam: the λ used when the user gives none.
    """

    name = ""
    penalize_retrain = False
    penalize_finetune = False
    lam = 0.0

    def solve(self, weight: Tensor, per_channel: bool) -> Clusters:
        """Codes and α for `weight`, without asking the device: α is NaN where weights are not finite."""
        raise NotImplementedError

    def ternarize(self, weight: Tensor, per_channel: bool, name: str) -> Clusters:
        """Codes and α for `weight`; raises `CrqError` naming the layer for non-finite weights."""
        return _finite(self.solve(weight, per_channel), name)

    def current(self, layer: Layer) -> Clusters:
        """As `solve`, for the layer's weights and what it learned."""
        return self.solve(layer.weight, layer.per_channel)

    def clusters(self, layer: Layer) -> Clusters:
        """Codes and α that the layer computes with, and that are exported; raises as `ternarize`."""
        return _finite(self.current(layer), layer.layer_name)

    def target(self, layer: Layer) -> Tensor:
        """What λ·J pulls to: the codes that the layer computes with, α = mean |w| over its non-zero codes."""
        return cluster.fitted(layer.weight, self.current(layer).codes, layer.per_channel).dequantized()

    def attach(self, layer: Layer) -> None:
        """Add what the method learns beside the weights; most methods learn nothing."""

    def weight(self, layer: Layer) -> Tensor:
        """α·t of the layer's weight shape; its gradient reaches the float weights unchanged (as in [10, 12]).

        Weights that are not finite give NaN or raise `CrqError`.
        """
        return straight_through(layer.weight, self.current(layer).dequantized())


class CRQ(Method):
    """Algorithm 1: retrain with λ·J (Eq. 10, 11), quantize to α·t (Eq. 3, by alternation from mean|W|), fine-tune."""

    name = "crq"
    penalize_retrain = True
    lam = 1e-3
    route: Route = "alternate"
    """How Eq. 3 is solved for the forward pass; each row of `per_channel` has its global optimum."""

    def ternarize(self, weight: Tensor, per_channel: bool, name: str) -> Clusters:
        if per_channel:
            return cluster.per_channel(weight, name=name)
        return cluster.coded(weight, scale(weight, self.route, name))

    def clusters(self, layer: Layer) -> Clusters:
        return self.ternarize(layer.weight, layer.per_channel, layer.layer_name)

    def solved(self, layer: Layer) -> Solved:
        """α·t of the forward pass; what the last one solved is taken where the weights are still the same."""
        route = "rows" if layer.per_channel else self.route
        return solve(layer.weight, route, layer.layer_name, known=layer.known)

    def target(self, layer: Layer) -> Tensor:
        return self.solved(layer).values

    def weight(self, layer: Layer) -> Tensor:
        found = self.solved(layer)
        if self.penalize_finetune and torch.is_grad_enabled():
            layer.known = Known(layer.weight.detach().clone(), found)
        return straight_through(layer.weight, found.values)


class CRQPlus(CRQ):
    """CRQ with the penalty kept on while fine-tuning, and Eq. 3 solved to its global optimum."""

    name = "crq+"
    penalize_finetune = True
    lam = 1e-2
    route = "optimum"


def straight_through(weight: Tensor, values: Tensor) -> Tensor:
    """`values` in the forward pass, the identity in the backward pass."""
    return _StraightThrough.apply(weight, values)


def _finite(found: Clusters, name: str) -> Clusters:
    if not bool(torch.isfinite(found.alpha).all()):
        raise non_finite(name)
    return found


def _like(weight: Tensor, values: Tensor) -> Tensor:
    """`values` in the weight's type and exact strides: a convolution picks its memory layout by them."""
    if values.dtype == weight.dtype and values.stride() == weight.stride():
        return values
    return torch.empty_strided(weight.shape, weight.stride(), dtype=weight.dtype, device=weight.device).copy_(values)


class _StraightThrough(torch.autograd.Function):
    """Gives back exactly α·t; the usual w + (αt − w) is off by a rounding."""

    @staticmethod
    def forward(ctx, weight, quantized):
        return _like(weight, quantized)

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class TWN(Method):
    """Ternary Weight Networks (Li et al. 2016, Eq. 4–6): Δ = 0.7·mean|W|, t = sign(w)·[|w| > Δ], α = mean of those."""

    name = "twn"

    def solve(self, weight: Tensor, per_channel: bool) -> Clusters:
        return _thresholded(weight, 0.7, None, per_channel)


class STE(Method):
    """Plain straight-through ternary: α = mean|W|, t = round(clip(w/α, ±1)), no optimisation of either."""

    name = "ste"

    def solve(self, weight: Tensor, per_channel: bool) -> Clusters:
        return _thresholded(weight, 0.5, 1.0, per_channel)


class TTQ(Method):
    """Trained Ternary Quantization (Zhu et al. 2016, Eq. 6–8): learned scales Wp, Wn; Δ = 0.05·max|W|. Train only.

    Gradients: ∂L/∂Wp = Σ over t=+1, ∂L/∂Wn = −Σ over t=−1, and the latent weights' gradient is scaled by Wp, 1 or Wn.
    The scales' gradients are divided by √N, N weights in the layer (LSQ, Esser et al. 2020, section 2.2): printed as
    sums over all weights, they make the scales overshoot at the weights' learning rate.
    """

    name = "ttq"
    threshold = 0.05

    def solve(self, weight: Tensor, per_channel: bool) -> Clusters:
        largest = weight.detach().abs().max() if weight.numel() else weight.new_zeros(())
        return _beyond(weight, largest * self.threshold, None)

    def attach(self, layer: Layer) -> None:
        start = self.ternarize(layer.weight, False, layer.layer_name).alpha
        for name in ("scale_positive", "scale_negative"):
            learned.learn(layer, name, start)  # type: ignore[arg-type]

    def weight(self, layer: Layer) -> Tensor:
        found = self.current(layer)
        nothing = found.alpha * 0  # NaN where weights are not finite, which codes cannot tell
        positive, negative = (
            learned.current(layer, name) + nothing  # type: ignore[arg-type]
            for name in ("scale_positive", "scale_negative")
        )
        return _TTQ.apply(layer.weight, positive, negative, found.codes)


class _TTQ(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, positive, negative, codes):
        ctx.save_for_backward(positive, negative, codes)
        values = torch.where(codes > 0, positive, torch.where(codes < 0, -negative, positive * 0))
        return _like(weight, values)

    @staticmethod
    def backward(ctx, grad):
        positive, negative, codes = ctx.saved_tensors
        up, down = codes > 0, codes < 0
        latent = grad * torch.where(up, positive, torch.where(down, negative, torch.ones_like(grad)))
        norm = grad.numel() ** -0.5
        return latent, (grad * up).sum() * norm, -(grad * down).sum() * norm, None


class LSQ(Method):
    """Learned step size (Esser et al. 2020) for codes −1, 0, +1: t = round(clip(w/α, ±1)), α learned.

    α is a learned share of mean |w|, so that it follows weights that grow or shrink; it starts where it is best for
    Gaussian weights. Gradients: ∂L/∂α = Σ g·(t − w/α), or g·t beyond ±α (Eq. 3), divided by √N, N weights in the layer
    (section 2.2); weights beyond ±α have none (Eq. 5).
    """

    name = "lsq"
    start = 1.534
    """1.224 σ, the optimum of Eq. 3 for Gaussian weights, in units of their mean magnitude, 0.798 σ."""

    def solve(self, weight: Tensor, per_channel: bool) -> Clusters:
        return self._found(weight, per_channel, torch.tensor(self.start, device=weight.device))

    def _found(self, weight: Tensor, per_channel: bool, share: Tensor) -> Clusters:
        alpha = share.detach() * _mean_magnitude(weight, per_channel)
        codes = _ratio(weight.detach(), alpha).clamp(-1, 1).round().to(torch.int8)
        return Clusters(codes, cluster.poisoned(alpha.reshape(-1 if per_channel else ()).float()))

    def attach(self, layer: Layer) -> None:
        learned.learn(layer, "scale_share", torch.tensor(self.start))  # type: ignore[arg-type]

    def current(self, layer: Layer) -> Clusters:
        share = learned.current(layer, "scale_share")  # type: ignore[arg-type]
        return self._found(layer.weight, layer.per_channel, share)

    def weight(self, layer: Layer) -> Tensor:
        share = learned.current(layer, "scale_share")  # type: ignore[arg-type]
        mean = _mean_magnitude(layer.weight, layer.per_channel)
        return _LSQ.apply(layer.weight, share, mean)


class _LSQ(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weight, share, mean):
        alpha = share * mean
        ratio = _ratio(weight, alpha)
        codes = ratio.clamp(-1, 1).round()
        ctx.save_for_backward(ratio, codes, mean)
        return _like(weight, codes * alpha)

    @staticmethod
    def backward(ctx, grad):
        ratio, codes, mean = ctx.saved_tensors
        inside = ratio.abs() <= 1
        change = torch.where(inside, codes - ratio, codes)
        return grad * inside, (grad * change * mean).sum() * grad.numel() ** -0.5, None


def _mean_magnitude(weight: Tensor, per_channel: bool) -> Tensor:
    """mean |w|, one number or one per output channel, shaped to divide the weight."""
    magnitude = weight.detach().abs()
    if per_channel:
        return magnitude.flatten(1).mean(1).reshape(-1, *[1] * (weight.dim() - 1))
    return magnitude.mean() if magnitude.numel() else magnitude.new_zeros(())


def _ratio(weight: Tensor, alpha: Tensor) -> Tensor:
    """w/α; 0 where α is."""
    return weight / alpha.clamp_min(torch.finfo(torch.float32).tiny)


_METHODS: dict[str, type[Method]] = {kind.name: kind for kind in (CRQ, CRQPlus, TWN, TTQ, STE, LSQ)}
assert tuple(_METHODS) == METHOD_NAMES
assert tuple(name for name, kind in _METHODS.items() if kind.penalize_retrain) == RETRAINED
assert tuple(name for name, kind in _METHODS.items() if kind.penalize_finetune) == FINETUNED


def get(name: str) -> Method:
    """The method called `name`; an unknown name raises `CrqError` listing the known ones."""
    if name not in _METHODS:
        raise CrqError(f"unknown method {name!r}{nearest(name, _METHODS)}; expected one of {', '.join(_METHODS)}")
    return _METHODS[name]()


def _thresholded(weight: Tensor, factor: float, alpha: float | None, per_channel: bool) -> Clusters:
    """Codes of |w| > factor·mean|W|; α is mean|W|·alpha when given, else the mean of the kept |w|."""
    mean = _mean_magnitude(weight, per_channel)
    return _beyond(weight, mean * factor, None if alpha is None else mean * alpha)


def _beyond(weight: Tensor, threshold: Tensor, alpha: Tensor | None) -> Clusters:
    """Codes beyond ±threshold; α = mean of the kept |w| unless given; 0 where none is kept, NaN for no threshold."""
    w = weight.detach()
    codes = (w > threshold).to(torch.int8) - (w < -threshold).to(torch.int8)
    rows = threshold.dim() > 0
    count = codes.abs().flatten(1).sum(1) if rows else codes.abs().sum()
    if alpha is None:
        kept = codes * w
        alpha = (kept.flatten(1).sum(1) if rows else kept.sum()) / count.clamp_min(1)
    alpha = alpha.reshape(count.shape)
    nothing = threshold.reshape(count.shape) * 0  # NaN where weights are not finite: then none is kept
    return Clusters(codes, torch.where(count > 0, alpha, nothing).float())

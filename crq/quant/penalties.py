"""Penalties on float weights behind one interface, and the paper's: λ·Σ_l J_l (Eq. 10)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from crq.errors import CrqError
from crq.quant import LARGEST_LAM, cluster
from crq.quant.layers import TernaryLayer
from crq.quant.methods import CRQ

_PLAIN_GRADIENT = (torch.optim.SGD,)


class Penalty(nn.Module):
    """A term added to the loss: calling it gives λ·Σ over layers, differentiable in the weights.

    model: a prepared model; the term runs over its ternary layers, each with its share (`TernaryLayer.penalty`) of λ.
    lam: λ from 0 to `LARGEST_LAM`; it may be changed
    between steps. Penalties that learn something hold it as parameters; hand them to the
    optimizer.
    """

    def __init__(self, model: nn.Module, lam: float) -> None:
        super().__init__()
        if not 0 <= lam <= LARGEST_LAM:
            raise CrqError(f"lam must be a number from 0 to {LARGEST_LAM:g}, not {lam!r}")
        self.lam = lam
        # A plain dict: the layers belong to the model, not to the penalty.
        found = {name: module for name, module in model.named_modules() if isinstance(module, TernaryLayer)}
        self.__dict__["layers"] = found
        if not found:
            raise CrqError("the model has no ternary layer to penalize: call crq.prepare first")

    layers: dict[str, TernaryLayer]

    def term(self, name: str, weight: Tensor) -> Tensor:
        """The scalar of one layer, before λ."""
        raise NotImplementedError

    def forward(self) -> Tensor:
        terms = [layer.penalty * self.term(name, layer.weight) for name, layer in self.layers.items()]
        return self.lam * torch.stack(terms).sum()

    def trained(self) -> Iterator[tuple[str, TernaryLayer]]:
        """The layers whose weights ask for a gradient."""
        return ((name, layer) for name, layer in self.layers.items() if layer.weight.requires_grad)


class ClusterPenalty(Penalty):
    """λ·J of Eq. 10, with Eq. 11's gradient λ(W − α·t): J is summed over the layer and the factor 2 dropped.

    Weights that ask for no gradient stay as they are.

    warm: start each alternation from the last α instead of mean|W| (Algorithm 1 restarts).
    Use one of: `loss + penalty()`; `add_gradients()` after backward (the same for plain SGD, cheaper); or, with
    Adam and its kin, `step(optimizer)` after the optimizer's step. Inside the loss, Adam would divide λ away.
    """

    def __init__(self, model: nn.Module, lam: float = 1e-3, warm: bool = False) -> None:
        super().__init__(model, lam)
        self.warm = warm
        self._last: dict[str, float] = {}

    @torch.no_grad()
    def pull(self, name: str) -> Tensor:
        """W − α·t of one layer, with α and t solved for its current weights.

        For crq and crq+ by Algorithm 1 for float weights (the retrain), by the method where the forward pass computes
        with α·t. Methods that choose their codes otherwise keep them here: see `Method.target`.
        """
        layer = self.layers[name]
        weight = layer.weight
        if not isinstance(layer.method, CRQ):
            return weight - layer.method.target(weight, layer.per_channel, name).dequantized().to(weight.dtype)
        if layer.per_channel or not weight.numel():
            return weight - cluster.per_channel(weight, name=name).dequantized().to(weight.dtype)
        alpha = self._scale(name, layer, layer.method)
        return weight.add(cluster.ternary(weight, alpha).to(weight.dtype), alpha=-alpha)

    def _scale(self, name: str, layer: TernaryLayer, method: CRQ) -> float:
        if layer.mode == "quantized":
            known = layer.known_scale()
            return method.scale(layer.weight, name) if known is None else known
        alpha = 0.0
        if self.warm and name in self._last:
            alpha, _ = cluster.alternate_scale(layer.weight, self._last[name], name=name)
        if not alpha:  # once the weights have shrunk, nothing lies beyond half of the last α
            alpha, _ = cluster.alternate_scale(layer.weight, name=name)
        if self.warm and alpha > 0:
            self._last[name] = alpha
        return alpha

    def term(self, name: str, weight: Tensor) -> Tensor:
        return _Cost.apply(weight, self.pull(name))

    @torch.no_grad()
    def add_gradients(self) -> None:
        """Add λ(W − α·t) to the gradients: Eq. 11 for SGD, to be called between backward and the step."""
        for name, layer in self.trained():
            pull = self.pull(name)
            if layer.weight.grad is None:
                layer.weight.grad = pull.mul_(self.lam * layer.penalty)
            else:
                layer.weight.grad.add_(pull, alpha=self.lam * layer.penalty)

    @torch.no_grad()
    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """W ← W − η·λ(W − α·t) with each weight's own learning rate η: Eq. 11 decoupled, for Adam-like optimizers."""
        rates = {id(p): float(group["lr"]) for group in optimizer.param_groups for p in group["params"]}
        for name, layer in self.trained():
            rate = rates.get(id(layer.weight))
            if rate is None:
                raise CrqError(f"layer {name!r} is not among the optimizer's parameters, so it has no learning rate")
            layer.weight.sub_(self.pull(name), alpha=min(rate * self.lam * layer.penalty, 1.0))

    def get_extra_state(self) -> dict[str, float]:
        """The warm-start scales, so that a checkpoint resumes exactly."""
        return dict(self._last)

    def set_extra_state(self, state: dict[str, float]) -> None:
        self._last = dict(state)


class _Cost(torch.autograd.Function):
    """J = ‖W − α·t‖² with the gradient of J/2."""

    @staticmethod
    def forward(ctx, weight, pull):
        ctx.save_for_backward(pull)
        return pull.square().sum()

    @staticmethod
    def backward(ctx, grad):
        (pull,) = ctx.saved_tensors
        return grad * pull, None


def is_plain_gradient(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a penalty may go through the gradient (SGD) or must be decoupled (everything adaptive)."""
    return isinstance(optimizer, _PLAIN_GRADIENT)


def layer_statistics(model: nn.Module) -> dict[str, dict[str, float]]:
    """Per ternary layer: `cost` J/‖W‖² (the number to watch), `zeros` share, `alpha` (mean when per channel)."""
    statistics = {}
    for name, layer in model.named_modules():
        if isinstance(layer, TernaryLayer):
            found = layer.clusters()
            statistics[name] = {
                "cost": found.relative_cost(layer.weight),
                "zeros": found.zeros,
                "alpha": float(found.alpha.mean()),
            }
    return statistics

"""Penalties on float weights behind one interface, and the paper's: λ·Σ_l J_l (Eq. 10)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from crq.errors import CrqError
from crq.quant import LARGEST_LAM
from crq.quant.layers import TernaryLayer
from crq.quant.methods import CRQ
from crq.quant.solve import solve

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
        self._last: dict[str, Tensor] = {}

    @torch.no_grad()
    def pull(self, name: str) -> Tensor:
        """W − α·t of one layer, with α and t solved for its current weights.

        For crq and crq+ by Algorithm 1 for float weights (the retrain), by the method where the forward pass computes
        with α·t. Methods that choose their codes otherwise keep them here: see `Method.target`.
        """
        layer = self.layers[name]
        return layer.weight - self._target(name, layer).to(layer.weight.dtype)

    def _target(self, name: str, layer: TernaryLayer) -> Tensor:
        if not isinstance(layer.method, CRQ) or layer.per_channel or layer.mode == "quantized":
            return layer.method.target(layer)
        found = solve(layer.weight, "alternate", name, start=self._last.get(name))
        if self.warm:
            self._last[name] = found.alpha
        return found.values

    def term(self, name: str, weight: Tensor) -> Tensor:
        return _Cost.apply(weight, self.pull(name))

    @torch.no_grad()
    def add_gradients(self) -> None:
        """Add λ(W − α·t) to the gradients: Eq. 11 for SGD, to be called between backward and the step."""
        trained = dict(self.trained())
        weights = [layer.weight for layer in trained.values()]
        pulls = torch._foreach_sub(weights, [self._target(name, layer) for name, layer in trained.items()])
        gradients: dict[float, list[tuple[Tensor, Tensor]]] = {}
        for layer, weight, pull in zip(trained.values(), weights, pulls, strict=True):
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            gradients.setdefault(layer.penalty, []).append((weight.grad, pull))
        for share, pairs in gradients.items():
            torch._foreach_add_(*zip(*pairs, strict=True), alpha=self.lam * share)

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
        return {name: float(alpha) for name, alpha in self._last.items()}

    def set_extra_state(self, state: dict[str, float]) -> None:
        starts = {name: torch.tensor(alpha, dtype=torch.float64) for name, alpha in state.items()}
        self._last = {name: alpha.to(self.layers[name].weight.device) for name, alpha in starts.items()}


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


def layer_statistics(model: nn.Module, codes: dict[str, Tensor] | None = None) -> dict[str, dict[str, float]]:
    """Per ternary layer: `cost` J/‖W‖² (the number to watch), `zeros` share, `alpha` (mean when per channel).

    codes: int8 codes by layer, of an earlier call with the same dict, which this one replaces. `changed` is the share
    that differs from them.
    """
    statistics = {}
    for name, layer in model.named_modules():
        if isinstance(layer, TernaryLayer):
            found = layer.clusters()
            statistics[name] = {
                "cost": found.relative_cost(layer.weight),
                "zeros": found.zeros,
                "alpha": float(found.alpha.mean()),
            }
            if codes is not None:
                now = found.codes.to("cpu", torch.int8)
                if name in codes:
                    statistics[name]["changed"] = float((now != codes[name]).float().mean())
                codes[name] = now
    return statistics

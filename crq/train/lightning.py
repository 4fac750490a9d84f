"""Penalties as Lightning callbacks: for any LightningModule that holds a prepared network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch

from crq.quant.penalties import ClusterPenalty, Penalty, is_plain_gradient, layer_statistics


class LayerStatistics(pl.Callback):
    """Logs J/‖W‖², the share of zeros and α of each ternary layer as `cost/<layer>`, … after every epoch."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.loggers:
            figures = {
                f"{key}/{name}": value
                for name, values in layer_statistics(pl_module).items()
                for key, value in values.items()
            }
            pl_module.log_dict(figures, sync_dist=False, rank_zero_only=True)


class CRQCallback(LayerStatistics):
    """Pulls the ternary layers' float weights towards α·t in every optimizer step (Eq. 11).

    lam: λ, or a function from the share of the training done (0 … 1) to λ. warm: see `ClusterPenalty`.
    With SGD the pull joins the gradients; with any other optimizer it is decoupled, after the step. Logs what
    `LayerStatistics` logs.
    """

    def __init__(self, lam: float | Callable[[float], float] = 1e-3, warm: bool = False) -> None:
        self.lam, self.warm = lam, warm
        self.penalty: ClusterPenalty | None = None
        self._restored: dict[str, Any] = {}
        self._stepped = 0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.penalty = ClusterPenalty(pl_module, 0.0, self.warm)
        if self._restored:
            self.penalty.set_extra_state(self._restored)
        self._stepped = trainer.global_step

    def _update_lam(self, trainer: pl.Trainer) -> ClusterPenalty:
        assert self.penalty is not None
        total = max(int(trainer.estimated_stepping_batches), 1)
        share = min(trainer.global_step / total, 1.0)
        self.penalty.lam = self.lam(share) if callable(self.lam) else self.lam
        return self.penalty

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        if is_plain_gradient(optimizer):
            self._update_lam(trainer).add_gradients()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Under gradient accumulation most batches end without an optimizer step.
        if trainer.global_step == self._stepped:
            return
        self._stepped = trainer.global_step
        for optimizer in trainer.optimizers:
            if not is_plain_gradient(optimizer):
                self._update_lam(trainer).step(optimizer)

    def state_dict(self) -> dict[str, Any]:
        return {"alpha": self.penalty.get_extra_state() if self.penalty else self._restored}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = state_dict["alpha"]


class RegularizerCallback(pl.Callback):
    """Adds a penalty's gradient (crq.quant.regularizers) to every optimizer step, and trains what the penalty learns.

    make: the penalty of a model. What it learns has gradients that sum over a layer: its own Adam, of rate `lr`, takes
    no notice of their size.
    """

    def __init__(self, make: Callable[[torch.nn.Module], Penalty], lr: float = 1e-3) -> None:
        self.make, self.lr = make, lr
        self.penalty: Penalty | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self._restored: dict[str, Any] = {}

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.penalty = self.make(pl_module).to(pl_module.device)
        learned = list(self.penalty.parameters())
        self.optimizer = torch.optim.Adam(learned, lr=self.lr) if learned else None
        if self._restored:
            self.penalty.load_state_dict(self._restored["penalty"])
            if self.optimizer:
                self.optimizer.load_state_dict(self._restored["optimizer"])

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        assert self.penalty is not None
        parameters = [*(layer.weight for layer in self.penalty.layers.values()), *self.penalty.parameters()]
        with torch.enable_grad(), torch.autocast(pl_module.device.type, enabled=False):
            # Not backward(): it would wake the hooks by which processes exchange gradients.
            gradients = torch.autograd.grad(self.penalty(), parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
        if self.optimizer:
            self.optimizer.step()
            self.optimizer.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        if self.penalty is None:
            return self._restored
        optimizer = self.optimizer.state_dict() if self.optimizer else None
        return {"penalty": self.penalty.state_dict(), "optimizer": optimizer}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = state_dict

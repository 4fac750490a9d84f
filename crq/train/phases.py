"""One phase of training as a LightningModule, and the callbacks that watch it."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from crq.errors import CrqError
from crq.quant.penalties import layer_statistics
from crq.quant.quantizers import quantizers
from crq.train import progressive
from crq.train.finite import FiniteLosses
from crq.train.objective import Objective
from crq.train.schedules import rate
from crq.train.sections import Phase
from crq.train.tasks import Metric, Task


class PhaseModule(pl.LightningModule):
    """Trains `network` for `task` under one phase's objective, optimizer and schedule.

    name: the phase, for messages. steps: optimizer steps of the whole phase. seed: keys the global random state of
    each epoch, so that a resumed run draws the same dropout masks as an uninterrupted one.
    teacher: the network to distil from, where the phase does. fused: compute by torch.compile.
    """

    def __init__(
        self, network: nn.Module, phase: Phase, name: str, steps: int, seed: int, task: Task,
        teacher: nn.Module | None = None, fused: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.task = task
        self.network, self.phase, self.name, self.steps, self.seed = network, phase, name, steps, seed
        self.losses = FiniteLosses()
        self.objective = Objective(
            phase, network, task, teacher, fused
        )  # no module: a teacher is no part of checkpoints

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def on_train_epoch_start(self) -> None:
        self.losses = FiniteLosses()
        torch.manual_seed(((self.seed * 1009 + self.current_epoch) * 1009 + self.global_rank) % 2**63)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        inputs, labels = batch
        inputs = progressive.scaled(inputs, progressive.side(self.phase, self.current_epoch))
        loss, outputs, targets = self.objective(inputs, labels)
        if (bad := self.losses.add(loss, batch_idx, last=self._is_last)) is not None:
            raise CrqError(self._diverged(bad, batch_idx))
        metric = self.task.metric
        values = {"loss": loss.detach(), metric.name: metric.each(outputs.detach(), targets).mean()}
        self.log_dict(values, on_step=False, on_epoch=True, batch_size=len(labels), sync_dist=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        inputs, labels = batch
        found = self.task.metric.each(
            self.task.given(self.network(inputs).float()), self.task.targets(inputs, labels)
        ).mean()
        self.log("validation", found, on_epoch=True, batch_size=len(labels), sync_dist=True)

    def configure_optimizers(self) -> Any:
        phase = self.phase
        decayed: list[Tensor] = []
        plain: list[Tensor] = []
        for parameter in self.network.parameters():
            # Biases, batch norms and scales have no scale of their own to decay.
            (decayed if parameter.dim() > 1 else plain).append(parameter)
        groups = [{"params": decayed, "weight_decay": phase.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer: torch.optim.Optimizer
        if phase.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, lr=phase.lr, momentum=phase.momentum, nesterov=phase.nesterov)
        else:
            optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[phase.optimizer](groups, lr=phase.lr)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(phase, step / max(self.steps, 1)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def check_finite(self) -> None:
        """Refuse what is no number among parameters, statistics and scales; a finite loss can hide it."""
        values = (*self.network.named_parameters(), *self.network.named_buffers())
        bad = [name for name, value in values if not bool(torch.isfinite(value).all())]
        bad += [name for name, quantizer in quantizers(self.network).items() if not quantizer.in_range]
        if bad:
            raise CrqError(
                f"phase {self.name} diverged: {bad[0]} is not finite. Lower {self.name}.lr (now {self.phase.lr})"
            )

    @property
    def _is_last(self) -> bool:
        """Whether no batch follows in this epoch: what reads the weights at its end should find the loss told."""
        trainer = self.trainer
        return trainer.is_last_batch or 0 < trainer.max_steps <= trainer.global_step + 1

    def _diverged(self, batch: int, noticed: int) -> str:
        bad = [name for name, value in self.network.named_parameters() if not bool(torch.isfinite(value).all())]
        culprit = f"; first non-finite parameter: {bad[0]}" if bad else "; all parameters are still finite"
        if noticed > batch:  # the steps between have spread it
            culprit = f" (noticed at batch {noticed})"
        return (
            f"phase {self.name}: the loss is not finite at epoch {self.current_epoch}, batch {batch}{culprit}. "
            f"Lower {self.name}.lr (now {self.phase.lr}) or check the data"
        )


class Recorder(pl.Callback):
    """One row per epoch: loss, the task's metric, learning rate, time, mean J/‖W‖², the share of all codes that changed
    since the epoch before and, where there are ternary `layers`, their figures. Part of the checkpoint."""

    def __init__(self, phase: str, metric: Metric) -> None:
        self.phase, self.metric = phase, metric
        self.rows: list[dict[str, Any]] = []
        self._codes: dict[str, Tensor] = {}
        self._start = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        layer_statistics(pl_module.network, self._codes)  # type: ignore[arg-type]

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = trainer.callback_metrics
        layers = layer_statistics(pl_module.network, self._codes)  # type: ignore[arg-type]
        metric = self.metric.name
        sizes = {name: self._codes[name].numel() for name in layers}
        changed = sum(values["changed"] * sizes[name] for name, values in layers.items())
        costs = [values["cost"] for values in layers.values()]
        self.rows.append(
            {
                **({"layers": layers} if layers else {}),
                "phase": self.phase,
                "epoch": trainer.current_epoch,
                "loss": float(metrics["loss"]),
                metric: float(metrics[metric]),
                "validation": float(metrics["validation"]) if "validation" in metrics else None,
                "lr": float(trainer.optimizers[0].param_groups[0]["lr"]),
                "cost": sum(costs) / len(costs) if costs else None,
                "changed": changed / sum(sizes.values()) if layers else None,
                "seconds": round(time.perf_counter() - self._start, 3),
            }
        )

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])

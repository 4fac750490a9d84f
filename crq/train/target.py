"""λ that follows from where the weights should be: J/‖W‖² of a target at the end of a phase."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
from torch import nn

from crq.quant.penalties import layer_statistics
from crq.train.lightning import CRQCallback
from crq.train.schedules import dose, pull
from crq.train.sections import Penalized


def mean_cost(model: nn.Module) -> float:
    """The mean of J/‖W‖² over the ternary layers, as progress shows it."""
    found = [values["cost"] for values in layer_statistics(model).values()]
    return sum(found) / len(found)


class TargetCallback(CRQCallback):
    """The penalty with a λ that takes the mean J/‖W‖² to `phase.target` by the end of the phase.

    The penalty alone shrinks J by e^−2·dose, and the loss works against it. After each epoch λ is chosen anew: for the
    distance that is left, in the logarithm, and against what the loss did in the last epoch. λ and J are part of the
    checkpoint. steps: of the whole phase.
    """

    def __init__(self, phase: Penalized, steps: int) -> None:
        super().__init__(lambda share: self.strength * pull(self.phase, share), phase.warm)
        assert phase.target is not None
        self.phase, self.steps, self.target = phase, steps, phase.target
        self.strength, self.cost, self.step = 0.0, 0.0, 0

    def _choose(self, cost: float, step: int) -> None:
        """λ from `step` on, where J/‖W‖² is `cost`."""
        left = dose(self.phase, self.steps, step)
        spent = dose(self.phase, self.steps, self.step) - left
        against = 0.0
        if spent and self.cost and cost:
            against = max(2 * self.strength * spent - math.log(self.cost / cost), 0.0) / (2 * spent)
        if left and cost:
            wanted = math.log(cost / self.target) / (2 * left) + against
            self.strength = min(max(wanted, 0.0), 1 / self.phase.lr)  # beyond it a step overshoots
        self.cost, self.step = cost, step

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_fit_start(trainer, pl_module)
        if not self.cost:
            self._choose(mean_cost(pl_module), 0)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        self._choose(mean_cost(pl_module), trainer.global_step)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "strength": self.strength, "cost": self.cost, "step": self.step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.strength, self.cost, self.step = (state_dict[key] for key in ("strength", "cost", "step"))

"""Early stopping: the weights of the epoch that did best on the held-out images."""

from __future__ import annotations

import copy
from typing import Any

import pytorch_lightning as pl


class BestEpoch(pl.Callback):
    """Ends a phase after `patience` epochs without a better result, and takes the weights of its best epoch.

    Part of the checkpoint: a resumed phase knows its best epoch.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._best: dict[str, Any] = {"accuracy": -1.0, "epoch": -1, "state": {}}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        accuracy = float(trainer.callback_metrics["validation"])
        if accuracy > self._best["accuracy"]:
            state = copy.deepcopy(pl_module.state_dict())
            self._best = {"accuracy": accuracy, "epoch": trainer.current_epoch, "state": state}
        trainer.should_stop |= trainer.current_epoch - self._best["epoch"] >= self.patience

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._best["state"]:
            pl_module.load_state_dict(self._best["state"])

    def state_dict(self) -> dict[str, Any]:
        return self._best

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best = state_dict

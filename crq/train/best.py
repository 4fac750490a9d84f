"""Early stopping: the weights of the epoch that did best on the held-out images."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytorch_lightning as pl


class BestEpoch(pl.Callback):
    """Ends a phase after `patience` epochs without a better result, and takes the weights of its best epoch.

    rises: whether more of the held-out figure is better. Part of the checkpoint: a resumed phase knows its best epoch.
    """

    def __init__(self, patience: int, rises: bool = True) -> None:
        self.patience, self.rises = patience, rises
        self._best: dict[str, Any] = {"figure": None, "epoch": -1, "state": {}}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        figure, best = float(trainer.callback_metrics["validation"]), self._best["figure"]
        if math.isfinite(figure) and (best is None or (figure > best if self.rises else figure < best)):
            state = copy.deepcopy(pl_module.state_dict())
            self._best = {"figure": figure, "epoch": trainer.current_epoch, "state": state}
        trainer.should_stop |= trainer.current_epoch - self._best["epoch"] >= self.patience

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._best["state"]:
            pl_module.load_state_dict(self._best["state"])

    def state_dict(self) -> dict[str, Any]:
        return self._best

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best = state_dict

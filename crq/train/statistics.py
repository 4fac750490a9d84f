"""Batch norms in a quantized phase: their running statistics lag behind codes that change until the last step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytorch_lightning as pl

from crq.convert.calibrate import reestimate_batch_norm


class FreshStatistics(pl.Callback):
    """Estimates all batch norms anew before held-out samples are looked at, as `crq.freeze` will.

    A weight that training drives to the border between two codes changes its code at any rate, and with each change a
    channel of few weights has other statistics (docs/results.md says what it costs). calibration: gives the batches.
    Among callbacks it comes after one that averages weights.
    """

    def __init__(self, calibration: Callable[[], Iterable[Any]]) -> None:
        self.calibration = calibration

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        reestimate_batch_norm(pl_module, self.calibration())

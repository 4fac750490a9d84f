"""Gradual quantization: layer by layer, or a growing share of each layer's weights, within one phase."""

from __future__ import annotations

from typing import Literal

import pytorch_lightning as pl
from torch import nn

from crq.errors import CrqError
from crq.quant.layers import QuantLayer


def set_shares(model: nn.Module, by: Literal["layers", "share"], done: float) -> None:
    """How much of `model` computes with codes once `done` (0 … 1) of the way is gone.

    layers: whole layers, in the order of the network. share: the largest weights of each layer first, as in INQ
    (Zhou et al. 2017).
    """
    layers = [module for module in model.modules() if isinstance(module, QuantLayer)]
    for index, layer in enumerate(layers):
        # The last layer is quantized when all of the way is gone, so that the others have had time to follow.
        layer.share = min(done, 1.0) if by == "share" else float(done * len(layers) >= index + 1)


class GradualQuantization(pl.Callback):
    """From none to all of a quantized network's weights within the first `until` (0 … 1) of the training."""

    def __init__(self, by: Literal["layers", "share"], until: float) -> None:
        self.by, self.until = by, until

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: object) -> None:
        total = max(int(trainer.estimated_stepping_batches), 1)
        set_shares(pl_module, self.by, trainer.global_step / total / self.until)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Raises `CrqError` if the training ended before everything was quantized."""
        left = [m.layer_name for m in pl_module.modules() if isinstance(m, QuantLayer) and m.share < 1]
        if left:
            raise CrqError(
                f"the phase ended with float weights in {', '.join(left)}: gradual.until = {self.until:g} of its "
                f"{trainer.global_step} steps leaves none to quantize them all; train longer or lower it"
            )

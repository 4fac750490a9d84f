"""One phase under Lightning's trainer: checkpoints, resume, precision, devices."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn

from crq.quant import regularizers
from crq.quant.layers import QuantLayer
from crq.quant.penalties import Penalty
from crq.train import distributed
from crq.train.checkpoints import restore
from crq.train.lightning import CRQCallback, LayerStatistics, RegularizerCallback
from crq.train.loader import BatchLoader
from crq.train.phases import PhaseModule, Recorder
from crq.train.progress import PhaseProgress
from crq.train.recipe import Penalized, Phase, Regularizer

if TYPE_CHECKING:
    from crq.train.trainer import Run

_ORDER = ("pretrain", "retrain", "finetune")


def fit(run: Run, name: str, network: nn.Module, phase: Phase, lam: float | None) -> list[dict[str, Any]]:
    """Train `network` in place through one phase and return a row per epoch. lam: λ of the penalty, None for none.

    Continues from the phase's last checkpoint in the run folder when there is one. SIGINT raises `KeyboardInterrupt`,
    SIGTERM `SystemExit` with code 143.
    """
    if phase.epochs == 0:
        return []
    index = _ORDER.index(name)
    loader = run.loader(phase, index)
    steps = phase.epochs * len(loader)
    recorder = Recorder(name)
    checkpoints = run.folder / "checkpoints"
    callbacks: list[pl.Callback] = []
    if lam is not None:
        ramp = isinstance(phase, Penalized) and phase.ramp
        warm = isinstance(phase, Penalized) and phase.warm
        weight: Any = (lambda share: lam * share) if ramp else lam
        callbacks.append(CRQCallback(weight, warm))
    else:
        callbacks.append(LayerStatistics())
    if isinstance(phase, Penalized) and phase.regularizer is not None:
        callbacks.append(RegularizerCallback(partial(_regularizer, phase.regularizer)))
    callbacks += [
        recorder,
        PhaseProgress(recorder, run.console),
        ModelCheckpoint(checkpoints, filename=f"{name}-last", save_top_k=1, enable_version_counter=False),
    ]
    _quieten()
    world = distributed.world()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", str(world)))
    trainer = pl.Trainer(
        max_epochs=phase.epochs,
        max_steps=run.recipe.steps or -1,
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=local if world > 1 else 1,
        num_nodes=world // local,
        strategy="ddp" if world > 1 else "auto",
        precision=run.recipe.precision,
        callbacks=callbacks,
        logger=_logger(run, name),
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=max(1, min(50, len(loader))),
    )
    module = PhaseModule(network, phase, name, steps, run.recipe.seed * 8 + index)
    held_out = BatchLoader(run.held_out, 500) if run.held_out is not None else None
    last = checkpoints / f"{name}-last.ckpt"
    network.train()
    if _prefers_channels_last(network):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # A phase that starts in quantized mode stays in it: modes are Python state, restored by the caller's order.
    assert len({layer.mode for layer in network.modules() if isinstance(layer, QuantLayer)}) <= 1
    resume = str(last) if last.exists() else None
    if resume:
        restore(last)  # for its errors: Lightning's name no file
    try:
        trainer.fit(module, loader, held_out, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:  # Lightning's answer to both signals, with exit codes 1 and 0
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from stop
        if not trainer.received_sigterm:
            raise
    if trainer.received_sigterm:
        raise SystemExit(128 + signal.SIGTERM)
    module.check_finite()
    network.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return recorder.rows


def _regularizer(choice: Regularizer, model: nn.Module) -> Penalty:
    return regularizers.build(choice.name, model, choice.lam, choice.levels)


def _prefers_channels_last(network: nn.Module) -> bool:
    """Convolutions are up to 1.5 times as fast in this layout, but torch 2.13's CPU backward pass of a strided 1×1
    convolution with few input channels then crashes the process (seen with 4, 8 and 12 channels, not with 16)."""
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    return not any(c.kernel_size == (1, 1) and max(c.stride) > 1 and c.in_channels < 16 for c in convolutions)


def _logger(run: Run, name: str) -> Any:
    try:
        from pytorch_lightning.loggers import TensorBoardLogger

        return TensorBoardLogger(run.folder / "logs", name=name, version="")
    except ModuleNotFoundError:  # tensorboard is an extra; metrics.csv and layers.csv have the same figures
        return False


def _quieten() -> None:
    """Lightning announces devices and tips at every fit; the run's own output says what matters."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for message in (".*does not have many workers.*", ".*Checkpoint directory.*", ".*GPU available.*", ".*LeafSpec.*"):
        warnings.filterwarnings("ignore", message)

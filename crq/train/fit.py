"""One phase under Lightning's trainer: checkpoints, resume, precision, devices."""

from __future__ import annotations

import copy
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EMAWeightAveraging, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from rich.console import Console
from torch import nn

from crq import importing
from crq.convert.calibrate import reestimate_batch_norm
from crq.errors import CrqError
from crq.quant import regularizers
from crq.quant.layers import QuantLayer
from crq.quant.penalties import Penalty
from crq.train import distributed
from crq.train.best import BestEpoch
from crq.train.checkpoints import check_fits, restore
from crq.train.folder import RunFolder
from crq.train.gradual import GradualQuantization
from crq.train.lightning import CRQCallback, LayerStatistics, RegularizerCallback
from crq.train.phases import PhaseModule, Recorder
from crq.train.process import quiet_lightning
from crq.train.progress import PhaseProgress
from crq.train.recipe import Recipe
from crq.train.schedules import pull
from crq.train.sections import Penalized, Phase, Regularizer
from crq.train.setup import Setup
from crq.train.statistics import FreshStatistics
from crq.train.target import TargetCallback


def fit(setup: Setup, folder: RunFolder, name: str, network: nn.Module, console: Console) -> list[dict[str, Any]]:
    """Train `network` in place through the phase called `name` and return a row per epoch.

    Continues from the phase's last checkpoint in the run folder when there is one. SIGINT raises `KeyboardInterrupt`,
    SIGTERM `SystemExit` with code 143.
    """
    phase = setup.phase(name)
    if phase.epochs == 0:
        return []
    batches = setup.batches(name)
    modes = {layer.mode for layer in network.modules() if isinstance(layer, QuantLayer)}
    assert len(modes) <= 1  # A phase stays in the mode that it starts in, and a checkpoint of it has that mode.
    quantized = "quantized" in modes
    recorder = Recorder(name, setup.task.metric)
    callbacks = [
        *_penalties(phase, setup.lam(name), setup.optimizer_steps(name)),
        *_averages(phase, setup.task.metric.rises),
        *_users(setup.recipe.callbacks, "callbacks", pl.Callback),
        *([FreshStatistics(setup.calibration)] if quantized else []),
        recorder,
        PhaseProgress(recorder, console),
        ModelCheckpoint(
            folder.checkpoints, filename=folder.latest(name).stem, save_top_k=1, enable_version_counter=False
        ),
    ]
    teacher = copy.deepcopy(setup.network) if phase.distill else None
    steps, seed = setup.optimizer_steps(name), setup.seed(name)
    module = PhaseModule(network, phase, name, steps, seed, setup.task, teacher, setup.recipe.fused)
    network.train()
    if _prefers_channels_last(network):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with quiet_lightning():
        loggers = [*_logger(folder.path, name), *_users(setup.recipe.loggers, "loggers", Logger)]
        trainer = _trainer(setup.recipe, phase, len(batches), callbacks, loggers)
        _train(trainer, module, batches, setup.held_out_batches(), folder.latest(name))
    module.check_finite()
    network.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    if phase.average or quantized:  # averaged statistics are those of the networks on the way, others lag behind
        reestimate_batch_norm(network, setup.calibration())
    return recorder.rows


def _penalties(phase: Phase, lam: float | None, steps: int) -> list[pl.Callback]:
    """What acts on the weights beside the loss, λ·J first; at least the logging of their figures."""
    callbacks: list[pl.Callback] = []
    if isinstance(phase, Penalized) and phase.gradual is not None:
        callbacks.append(GradualQuantization(phase.gradual.by, phase.gradual.until))
    if lam is not None and isinstance(phase, Penalized) and phase.target is not None:
        callbacks.append(TargetCallback(phase, steps))
    elif lam is not None and isinstance(phase, Penalized):
        callbacks.append(CRQCallback(lambda share: lam * pull(phase, share), phase.warm))
    else:
        callbacks.append(LayerStatistics())
    if isinstance(phase, Penalized) and phase.regularizer is not None:
        callbacks.append(RegularizerCallback(partial(_regularizer, phase.regularizer)))
    return callbacks


def _averages(phase: Phase, rises: bool) -> list[pl.Callback]:
    """What gives the phase other weights at its end than those of its last step."""
    averaged = [EMAWeightAveraging(decay=phase.average)] if phase.average else []
    return [*averaged, *([BestEpoch(phase.patience, rises)] if phase.patience else [])]


def _users(paths: tuple[str, ...], key: str, kind: type) -> list[Any]:
    """What a recipe names by import path: a class, or a function without arguments, that gives a `kind`."""
    made = []
    for path in paths:
        if not importing.is_function(path):
            raise CrqError(f"{key}: {path!r} must be module:name, for example mylab.training:Snapshots")
        try:
            made.append(importing.find(path)())
        except TypeError as error:
            raise CrqError(f"{key}: {path} cannot be called without arguments: {error}") from error
        if not isinstance(made[-1], kind):
            raise CrqError(f"{key}: {path} gives {type(made[-1]).__name__}, which is no Lightning {kind.__name__}")
    return made


def _regularizer(choice: Regularizer, model: nn.Module) -> Penalty:
    return regularizers.build(choice.name, model, choice.lam, choice.levels)


def _trainer(
    recipe: Recipe, phase: Phase, batches: int, callbacks: list[pl.Callback], loggers: list[Any]
) -> pl.Trainer:
    world = distributed.world()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", str(world)))
    return pl.Trainer(
        max_epochs=phase.epochs,
        max_steps=recipe.steps or -1,
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=local if world > 1 else 1,
        num_nodes=world // local,
        strategy="ddp" if world > 1 else "auto",
        precision=recipe.precision,
        gradient_clip_val=phase.clip,
        callbacks=callbacks,
        logger=loggers or False,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=max(1, min(50, batches)),
    )


def _train(trainer: pl.Trainer, module: PhaseModule, batches: Any, held_out: Any, latest: Path) -> None:
    """Train to the end of the phase, from the checkpoint `latest` where there is one; signals as `fit` says."""
    resume = str(latest) if latest.exists() else None
    if resume:
        check_fits(module, restore(latest).get("state_dict", {}), latest)  # Lightning's errors name no file
    try:
        trainer.fit(module, batches, held_out, ckpt_path=resume, weights_only=True)
    except SystemExit as stop:  # Lightning's answer to both signals, with exit codes 1 and 0
        if isinstance(stop.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from stop
        if not trainer.received_sigterm:
            raise
    if trainer.received_sigterm:
        raise SystemExit(128 + signal.SIGTERM)


def _prefers_channels_last(network: nn.Module) -> bool:
    """Convolutions are up to 1.5 times as fast in this layout, but torch 2.13's CPU backward pass of a strided 1×1
    convolution with few input channels then crashes the process (seen with 4, 8 and 12 channels, not with 16)."""
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    return not any(c.kernel_size == (1, 1) and max(c.stride) > 1 and c.in_channels < 16 for c in convolutions)


def _logger(folder: Path, name: str) -> list[Any]:
    try:
        from pytorch_lightning.loggers import TensorBoardLogger

        return [TensorBoardLogger(folder / "logs", name=name, version="")]
    except ModuleNotFoundError:  # tensorboard is an extra; metrics.csv and layers.csv have the same figures
        return []

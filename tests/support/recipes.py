"""A small recipe on the digits, runs of it, and what interrupts them."""

import io
import os
import signal

import pytorch_lightning as pl
import torch
from rich.console import Console

from crq.train import data, recipe, trainer


def values(**changes) -> dict:
    phase = {"epochs": 2, "lr": 0.05, "batch_size": 64}
    base = {
        "name": "toy",
        "data": {"name": "digits", "augment": "crop"},
        "network": {"name": "digits-cnn", "options": {"width": 4}},
        "ternary": {"method": "crq"},  # which has all three phases
        "pretrain": dict(phase),
        "retrain": {**phase, "lam": 0.05},
        "finetune": dict(phase),
        "calibration": 256,
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            base.setdefault(section, {})[name] = value
        else:
            base[section] = value
    return base


def run(folder, resume: bool = False, **changes) -> dict:
    return trainer.train_recipe(
        recipe.parse(values(**changes)), folder, resume=resume, console=Console(file=io.StringIO())
    )


def digits(count: int = 200, classes: int = 10) -> data.ImageData:
    """Some training images, labelled modulo `classes`."""
    part = data.load("digits:train").subset(torch.arange(count))
    return data.ImageData(part.images, part.labels % classes, part.classes[:classes], "some")


class Interrupt(pl.Callback):
    """Stands in for a kill: raises when the given epoch of a phase starts."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        if trainer.current_epoch == self.epoch:
            raise KeyError("interrupted")


class Signal(pl.Callback):
    """Sends this process a signal in the middle of the last epoch of two."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if trainer.current_epoch == 1:
            os.kill(os.getpid(), self.number)

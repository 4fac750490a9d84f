"""Importing, training and freezing leave the process as they found it, also when they fail."""

import io
import logging
import os
import random
import signal
import sys
import warnings

import numpy as np
import pytest
import torch
from rich.console import Console

import crq
from crq.errors import CrqError
from crq.train import fit, recipe
from crq.train.process import as_found, quiet_lightning
from tests.support.nets import Plain, images, prepared
from tests.support.recipes import values


def state() -> dict[str, object]:
    """What a library must leave alone."""
    names = ["", *logging.root.manager.loggerDict]
    loggers = {name: logging.getLogger(name) for name in names}
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "random": (torch.get_rng_state().tolist(), random.getstate(), _numpys()),
        "loggers": {
            n: (x.level, list(x.handlers), list(x.filters), x.propagate, x.disabled) for n, x in loggers.items()
        },
        "logging": logging.root.manager.disable,
        "warnings": (list(warnings.filters), warnings.showwarning),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "deterministic": (torch.are_deterministic_algorithms_enabled(), torch.get_deterministic_debug_mode()),
        "matmul": torch.get_float32_matmul_precision(),
        "cudnn": (
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.enabled,
            torch.backends.cudnn.allow_tf32,
            torch.backends.cuda.matmul.allow_tf32,
        ),
        "mkldnn": torch.backends.mkldnn.enabled,
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_anomaly_enabled()),
        "default": (torch.get_default_dtype(), torch.get_default_device()),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "hooks": (sys.excepthook, sys.stdout, sys.stderr),
    }


def _numpys() -> object:
    """The state of NumPy's global generator."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    return kind, keys.tolist(), rest


def test_training_leaves_no_trace(tmp_path, capfd, monkeypatch) -> None:
    plan = recipe.parse(values(steps=2, calibration=64, threads=2))
    inside = []
    monkeypatch.setattr(fit, "_prefers_channels_last", lambda network: inside.append(torch.get_num_threads()))
    console = Console(file=io.StringIO())
    crq.train_recipe(plan, tmp_path / "first", console=console)  # libraries imported on the way may set themselves up
    before = state()
    summary = crq.train_recipe(plan, tmp_path / "run", console=console)
    assert state() == before
    assert set(inside) == {2} != {torch.get_num_threads()}
    assert summary["accuracy"]["frozen"] > 0
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_training_that_ends_early_leaves_no_trace(tmp_path, capfd, monkeypatch, number) -> None:
    def stop(*arguments: object) -> None:
        assert torch.get_num_threads() == 2
        if number is None:
            raise KeyError
        os.kill(os.getpid(), number)

    monkeypatch.setattr(fit.PhaseModule, "training_step", stop)
    monkeypatch.setattr(fit.PhaseModule, "on_train_epoch_start", lambda module: torch.manual_seed(5))
    plan = recipe.parse(values(steps=2, threads=2))
    before = state()
    with pytest.raises({None: KeyError, signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: SystemExit}[number]):
        crq.train_recipe(plan, tmp_path / "run", console=Console(file=io.StringIO()))
    assert state() == before
    assert capfd.readouterr().out == ""


def test_a_refused_recipe_leaves_no_trace(tmp_path) -> None:
    before = state()
    with pytest.raises(CrqError, match="unknown network"):
        crq.train_recipe(recipe.parse(values(network={"name": "x"}, threads=2)), tmp_path / "run")
    assert state() == before


def test_preparing_and_freezing_leave_no_trace(capfd) -> None:
    model, batches = prepared(Plain), [images(Plain, 16)]
    before = state()
    crq.freeze(model, batches)
    crq.prepare(Plain(), example_input=batches[0].float() / 256)
    assert {k: v for k, v in state().items() if k != "random"} == {k: v for k, v in before.items() if k != "random"}
    assert capfd.readouterr().out == ""


def test_random_numbers_go_on_as_if_nothing_had_been_drawn() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with as_found(None):
        torch.manual_seed(8)
        torch.rand(100)
    assert torch.equal(torch.rand(4), expected)


def test_an_ignored_interrupt_is_handled_again() -> None:
    """Lightning ignores SIGINT once it has seen one, and forgets to mend that where it came early."""
    before = signal.getsignal(signal.SIGINT)
    with as_found(None):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGINT) is before


def test_lightning_is_quiet_inside_only() -> None:
    logger = logging.getLogger("pytorch_lightning")
    level, filters = logger.level, list(warnings.filters)
    with quiet_lightning():
        assert logger.level == logging.ERROR
        with warnings.catch_warnings(record=True) as caught:
            warnings.warn("The 'train_dataloader' does not have many workers", stacklevel=1)
            warnings.warn("something that matters", stacklevel=1)
        assert [str(warning.message) for warning in caught] == ["something that matters"]
    assert (logger.level, warnings.filters) == (level, filters)

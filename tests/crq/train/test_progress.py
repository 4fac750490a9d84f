"""What a run shows: one line per epoch where there is no terminal."""

import io
from types import SimpleNamespace

from rich.console import Console

from crq.train.phases import Recorder
from crq.train.progress import PhaseProgress
from crq.train.tasks import METRICS

ROW = {"phase": "retrain", "epoch": 1, "loss": 0.25, "accuracy": 0.5, "lr": 0.0123, "seconds": 1.25}


def shown(console: Console, **more: object) -> None:
    recorder = Recorder("retrain", METRICS["accuracy"])
    recorder.rows.append({**ROW, "validation": None, "cost": None, "changed": None, **more})
    progress = PhaseProgress(recorder, console)
    trainer = SimpleNamespace(
        is_global_zero=True, max_epochs=3, estimated_stepping_batches=12, global_step=8, current_epoch=1
    )
    progress.on_train_start(trainer, None)
    progress.on_train_batch_end(trainer)
    progress.on_train_epoch_end(trainer, None)
    progress.on_train_end(trainer, None)


def test_a_line_per_epoch() -> None:
    text = io.StringIO()
    shown(Console(file=text))
    shown(Console(file=text), validation=0.75, cost=0.125, changed=0.0126)
    assert text.getvalue().splitlines() == [
        "retrain   epoch 2/3      lr 0.012  loss 0.2500  train 50.00%  1.2 s",
        "retrain   epoch 2/3      lr 0.012  loss 0.2500  train 50.00%  val 75.00%  J/‖W‖² 0.125  new codes 1.3%  1.2 s",
    ]


def test_a_terminal_gets_a_bar() -> None:
    text = io.StringIO()
    shown(Console(file=text, force_terminal=True, width=80), validation=0.75, cost=0.125, changed=0.0126)
    assert "67%" in text.getvalue()
    *_, below = (line for line in text.getvalue().splitlines() if "loss" in line)
    assert "lr 0.012  loss 0.2500" in below
    assert below.endswith("new codes 1.3%")
    assert "…" not in text.getvalue()

"""What a run shows while it works: one bar per phase with the time left, or one line per epoch without a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from crq.figures import shown, told
from crq.train.phases import Recorder


class _Bars(Progress):
    """Bars with a task's figures in a line below: beside the bar they would push the time left off 80 columns."""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        yield from (Text(task.fields["figures"]) for task in self.tasks if task.fields["figures"])


class PhaseProgress(pl.Callback):
    """Shows a phase's progress on `console`; reads the epoch's figures from `recorder`, which must run before it."""

    def __init__(self, recorder: Recorder, console: Console) -> None:
        self.recorder, self.console = recorder, console
        self._progress: Progress | None = None
        self._task: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or not self.console.is_terminal:
            return
        self._progress = _Bars(
            TextColumn("{task.description:<9}"),
            TextColumn("{task.fields[epoch]}"),
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
        )
        self._progress.start()
        total = int(trainer.estimated_stepping_batches)
        epoch = f"{trainer.current_epoch}/{trainer.max_epochs}"
        self._task = self._progress.add_task(
            self.recorder.phase, total=total, completed=trainer.global_step, epoch=epoch, figures=""
        )

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if self._progress:
            self._progress.update(self._task, completed=trainer.global_step)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        row = self.recorder.rows[-1]
        name = self.recorder.metric.name
        figures = f"lr {row['lr']:.2g}  loss {row['loss']:.4f}  train {told({name: row[name]})}"
        if row["validation"] is not None:
            figures += f"  val {shown(name, row['validation'])}"
        if row["cost"] is not None:
            figures += f"  J/‖W‖² {row['cost']:.3f}  new codes {row['changed']:.1%}"
        epoch = f"{row['epoch'] + 1}/{trainer.max_epochs}"
        if self._progress:
            self._progress.update(self._task, epoch=epoch, figures=figures)
        elif trainer.is_global_zero:
            self.console.print(
                f"{row['phase']:<9} epoch {epoch:<8} {figures}  {row['seconds']:.1f} s", highlight=False, soft_wrap=True
            )

    def _stop(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self._stop()

"""A bar for long work that goes batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

Batch = TypeVar("Batch")


def counted(batches: Iterable[tuple[int, Batch]], what: str, total: int, show: bool) -> Iterator[Batch]:
    """The batches of pairs (images in it, batch), the bar `what` moving on with each; on the error stream."""
    with Progress(console=Console(stderr=True), disable=not show) as bar:
        task = bar.add_task(what, total=total)
        for images, batch in batches:
            yield batch
            bar.advance(task, images)

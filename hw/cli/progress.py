"""Progress of steps that other tools do: which one runs, for how long, and what it said last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress


def steps_shown(quiet: bool) -> Progress:
    """On the error stream, so that the output stays what it is; in a terminal alone."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    console = Console(stderr=True)
    what, said = (
        TextColumn(text, table_column=Column(no_wrap=True, overflow="ellipsis"))
        for text in ("{task.description}", "{task.fields[said]}")
    )
    elapsed = TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=len("0:00:00")))
    return Progress(SpinnerColumn(), what, elapsed, said, console=console, disable=quiet or not console.is_terminal)


def heard_by(bar: Progress) -> Callable[[str, str], None]:
    """What tells `bar` of a step and a line that it said; an empty line ends the step."""
    tasks: dict[str, Any] = {}

    def heard(step: str, line: str) -> None:
        if step not in tasks:
            tasks[step] = bar.add_task(step, total=None, said="")
        if line:
            bar.update(tasks[step], said=line.removeprefix("Info: ")[:60])
        else:
            bar.update(tasks[step], total=1, completed=1, said="")

    return heard

"""Progress of steps that other tools do: which one runs, for how long, and what it said last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress


def steps_shown(quiet: bool) -> Progress:
    """On the error stream, so that the output stays what it is."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    what, said = TextColumn("{task.description}"), TextColumn("{task.fields[said]}")
    return Progress(SpinnerColumn(), what, TimeElapsedColumn(), said, console=Console(stderr=True), disable=quiet)


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

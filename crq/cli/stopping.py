"""A command that a signal stops: what it says, and its exit code."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click


@contextlib.contextmanager
def stoppable(folder: Path, how: str) -> Iterator[None]:
    """On SIGINT and SIGTERM exit with 128 + the signal's number, telling `how` the run in `folder` goes on."""

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    code: Any = None
    try:
        yield
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except SystemExit as error:
        code = error.code
    finally:
        signal.signal(signal.SIGTERM, before)
    if code is not None:
        going_on = f": {how} continues from its last checkpoint" if (folder / "recipe.toml").exists() else ""
        click.echo(f"Stopped{going_on}.", err=True)
        sys.exit(code)

"""The CSV beside a benchmark: one row per measurement, never rewritten."""

from __future__ import annotations

import csv
import datetime
import subprocess
from collections.abc import Sequence
from pathlib import Path


def stamp() -> tuple[str, str]:
    """Today's date, and the commit."""
    run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return str(datetime.date.today()), run.stdout.strip()


def append(table: Path, header: Sequence[str], *values: object) -> None:
    """Add a row of today's date, the commit and `values`; `header` names all of them, in a new table."""
    new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([header, (*stamp(), *values)] if new else [(*stamp(), *values)])

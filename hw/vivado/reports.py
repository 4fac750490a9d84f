"""What Vivado reported of an implementation: slack of the clock, and what the network's cell uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from crq.hw.errors import HwError

# Columns of `report_utilization -hierarchical`, as Vivado 2020 to 2024 name them, and ours.
COLUMNS = {
    "lut": ("Total LUTs",), "ff": ("FFs",), "ramb36": ("RAMB36",), "ramb18": ("RAMB18",),
    "dsp": ("DSP Blocks", "DSP48 Blocks", "DSPs"),
}  # fmt: skip
CELL = "network"


class Implementation(NamedTuple):
    """Of the network's cell after place and route; `slack` in ns, of the whole design at its worst path."""

    slack: float
    lut: int
    ff: int
    bram36: float
    dsp: int


def implementation(folder: Path) -> Implementation | None:
    """What timing.rpt and utilization.rpt in `folder` say; None where Vivado has not left both.

    Raises `HwError` for a report that is not of the form that build.tcl asks for.
    """
    timing, usage = folder / "timing.rpt", folder / "utilization.rpt"
    if not (timing.is_file() and usage.is_file()):
        return None
    return Implementation(_slack(timing), *_used(usage))


def _slack(file: Path) -> float:
    """The first number of the table "Design Timing Summary"."""
    found = re.search(r"WNS\(ns\).*\n[-\s]+\n\s*(-?\d+\.\d+)", file.read_text(errors="replace"))
    if found is None:
        raise HwError(f"{file}: no table with WNS(ns) in it; expected the output of report_timing_summary")
    return float(found[1])


def _used(file: Path) -> tuple[int, int, float, int]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in file.read_text(errors="replace").splitlines() if line.strip().startswith("|")
    ]  # fmt: skip
    heads: list[str] = next((row for row in rows if row[0] == "Instance"), [])
    own = next((row for row in rows if row[0] == CELL), None)
    places = {key: next((heads.index(n) for n in names if n in heads), None) for key, names in COLUMNS.items()}
    if own is None or None in places.values():
        raise HwError(
            f"{file}: no row of the cell {CELL!r} with its LUTs, FFs, block RAMs and DSPs; expected the output of "
            f"report_utilization -hierarchical"
        )
    lut, ff, ramb36, ramb18, dsp = (int(own[places[key]]) for key in COLUMNS)  # type: ignore[index]
    return lut, ff, ramb36 + ramb18 / 2, dsp

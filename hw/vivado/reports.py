"""What Vivado reported of an implementation: slack of the clock, and what the network's cell uses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from crq.hw.errors import HwError

TIMING, USAGE = "timing.rpt", "utilization.rpt"
# Columns of `report_utilization -hierarchical`, as Vivado 2020 to 2024 name them, and ours.
COLUMNS = {
    "lut": ("Total LUTs",), "ff": ("FFs",), "ramb36": ("RAMB36",), "ramb18": ("RAMB18",),
    "dsp": ("DSP Blocks", "DSP48 Blocks", "DSPs"),
}  # fmt: skip
CELL = "network"


class Used(NamedTuple):
    """Of the network's cell after place and route."""

    lut: int
    ff: int
    bram36: float
    dsp: int


def slack(file: Path) -> float:
    """ns of the whole design at its worst path, by timing.rpt: the first number of "Design Timing Summary".

    Raises `HwError` for a report that is not of the form that build.tcl asks for.
    """
    found = re.search(r"WNS\(ns\).*\n[-\s]+\n\s*(-?\d+\.\d+)", file.read_text(errors="replace"))
    if found is None:
        raise HwError("no table with WNS(ns) in it; expected the output of report_timing_summary")
    return float(found[1])


def used(file: Path) -> Used:
    """What utilization.rpt says. Raises `HwError` for a report that is not of the form that build.tcl asks for."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in file.read_text(errors="replace").splitlines() if line.strip().startswith("|")
    ]  # fmt: skip
    heads: list[str] = next((row for row in rows if row[0] == "Instance"), [])
    own = next((row for row in rows if row[0] == CELL), None)
    places = {key: next((heads.index(n) for n in names if n in heads), None) for key, names in COLUMNS.items()}
    if own is None or None in places.values():
        raise HwError(
            f"no row of the cell {CELL!r} with its LUTs, FFs, block RAMs and DSPs; expected the output of "
            f"report_utilization -hierarchical"
        )
    try:
        lut, ff, ramb36, ramb18, dsp = (int(own[places[key]]) for key in COLUMNS)  # type: ignore[index]
    except (IndexError, ValueError) as error:
        raise HwError(f"a row of the cell {CELL!r} that is not whole: {' | '.join(own)}") from error
    return Used(lut, ff, ramb36 + ramb18 / 2, dsp)

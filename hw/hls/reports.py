"""What Vitis HLS and its script reported of a project: the files themselves, whatever else was copied with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from crq.hw.errors import HwError

REPORTS = "syn/report/{top}_csynth.xml", "sim/report/{top}_cosim.rpt", "vivado_synth.rpt"
"""What is read: two files of a solution, NAME_prj/solution1, and one beside build_prj.tcl."""


class Synthesis(NamedTuple):
    """A synthesis by Vitis HLS: cycles at most, None where it does not know; `reached` is its estimate of the clock."""

    part: str
    clock: float
    reached: float
    lut: int
    ff: int
    bram36: float
    dsp: int
    latency: int | None
    interval: int | None


class Cosimulation(NamedTuple):
    """A simulation of the Verilog by Vitis HLS: `status` is "Pass" if its results were those of C."""

    status: str
    latency: int | None
    interval: int | None


class Logic(NamedTuple):
    """A logic synthesis by Vivado of the Verilog that Vitis HLS made."""

    lut: int
    ff: int
    bram36: float
    dsp: int


def synthesis(file: Path) -> Synthesis:
    """Of TOP_csynth.xml. Raises `HwError` if it is none."""
    try:
        root = ElementTree.parse(file).getroot()
        area, time = root.find("AreaEstimates/Resources"), "PerformanceEstimates/SummaryOfOverallLatency"
        found = {child.tag: child.text or "" for child in area if child.text} if area is not None else {}
        return Synthesis(
            part=_text(root, "UserAssignments/Part"),
            clock=float(_text(root, "UserAssignments/TargetClockPeriod")),
            reached=float(_text(root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod")),
            lut=int(found["LUT"]),
            ff=int(found["FF"]),
            bram36=int(found["BRAM_18K"]) / 2,
            dsp=int(found.get("DSP", found.get("DSP48E", 0))),
            latency=_cycles(_text(root, f"{time}/Worst-caseLatency")),
            interval=_cycles(_text(root, f"{time}/Interval-max")),
        )
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise HwError(f"no synthesis report of Vitis HLS that is whole ({error})") from error


def cosimulation(file: Path) -> Cosimulation | None:
    """Of TOP_cosim.rpt; None where nothing was simulated. Raises `HwError` for cycles that are no numbers."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in _lines(file) if "|" in line]
    for language, status, *cycles in (row for row in rows if row[0] in ("Verilog", "VHDL")):
        if status != "NA" and len(cycles) >= 6:  # least, mean and most, of latency and interval
            try:
                return Cosimulation(f"{language}: {status}", _cycles(cycles[2]), _cycles(cycles[5]))
            except ValueError as error:
                raise HwError(f"no report of a co-simulation that is whole ({error})") from error
    return None


def logic(file: Path) -> Logic:
    """Of vivado_synth.rpt, the output of report_utilization. Raises `HwError` if it is none."""
    found: dict[str, float] = {}
    for line in _lines(file):
        cells = [cell.strip().rstrip("*") for cell in line.strip().strip("|").split("|")]
        key = _LOGIC.get(cells[0])
        if key and len(cells) > 1 and re.fullmatch(r"\d+(\.\d+)?", cells[1]):
            found.setdefault(key, float(cells[1]))
    if missing := sorted({*_LOGIC.values()} - found.keys()):
        raise HwError(f"no output of Vivado's report_utilization that is whole (without {', '.join(missing)})")
    return Logic(int(found["lut"]), int(found["ff"]), found["bram36"], int(found["dsp"]))


_LOGIC = {
    "CLB LUTs": "lut", "Slice LUTs": "lut", "CLB Registers": "ff", "Slice Registers": "ff",
    "Block RAM Tile": "bram36", "DSPs": "dsp",
}  # fmt: skip


def _lines(file: Path) -> list[str]:
    return file.read_text(errors="replace").splitlines()


def _text(root: ElementTree.Element, path: str) -> str:
    found = root.findtext(path)
    if not found:
        raise ValueError(f"nothing in {path}")
    return found.strip()


def _cycles(text: str) -> int | None:
    """Vitis writes "undef" or "NA" for what it does not know."""
    return None if text in ("undef", "NA", "-", "?", "x") else int(text)

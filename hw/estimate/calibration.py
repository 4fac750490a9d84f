"""How far the estimates can be trusted: read from calibration.json, written by benchmarks/calibration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hw.estimate.measured import FAMILY, MEASURED_WITH

FILE = Path(__file__).parent / "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """`tool` and `date` of the synthesis of layers no formula had seen; `blind` are the errors on them."""

    tool: str
    date: str
    command: str
    blind: dict[str, Any] = field(default_factory=dict)


@cache
def calibrations() -> dict[str, Calibration]:
    """The calibrations this installation carries, by synthesis family."""
    if not FILE.exists():
        return {}
    return {family: Calibration(**facts) for family, facts in json.loads(FILE.read_text()).items()}


UNROLLED = (
    "uncalibrated: io_parallel is priced by a formula of its own for the unrolled design (hw/estimate/parallel.py), "
    "which was never compared with any synthesis; its registers and latency are assumed"
)

LUT4 = (
    "uncalibrated: the formulas count 6-input LUTs and this part has 4-input ones, of which synthesis took 1.3 to 3.2 "
    "times as many (19 layers, benchmarks/calibration/layers_fit.csv), so no share of its LUTs is given; crq synth "
    "measures them"
)


def sentence(form: str, family: str) -> str:
    """What a reader must know about the figures of a project of `form` ("rtl", "hls" or "io_parallel") on a synthesis
    `family`."""
    if form == "io_parallel":
        return UNROLLED
    if family == "ecp5":
        return LUT4
    rtl, found = form == "rtl", calibrations()
    if not found:
        return (
            f"uncalibrated: circuits priced by the fabric and by {MEASURED_WITH}, whole layers not compared with "
            "synthesis" + ("" if rtl else "; Vitis HLS not measured, pipeline depth assumed")
        )
    own = found.get(family) or found[min(found)]
    basis = f"calibrated on the RTL form of these units under {own.tool}, {own.date}: {own.blind['sentence']}"
    if family not in found:
        basis += f"; {family}, the family of this part, was not in that test"
    elif family != FAMILY:
        basis += f" (with circuits measured for {FAMILY})"
    return basis if rtl else basis + "; Vitis HLS was not measured, and its control logic and pipeline depth differ"

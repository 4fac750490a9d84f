"""How far the estimates can be trusted: read from calibration.json, written by benchmarks/calibration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hw.estimate.measured import MEASURED_WITH

FILE = Path(__file__).parent / "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """`tool` and `date` of the synthesis of layers no formula had seen; `blind` are the errors on them."""

    tool: str
    date: str
    families: tuple[str, ...]
    command: str
    blind: dict[str, Any] = field(default_factory=dict)


@cache
def calibration() -> Calibration | None:
    """The calibration this installation carries; None if no blind test was run."""
    if not FILE.exists():
        return None
    facts = json.loads(FILE.read_text())
    return Calibration(**{**facts, "families": tuple(facts["families"])})


def sentence(rtl: bool, family: str) -> str:
    """What a reader must know about the figures of an RTL (`rtl`) or HLS project on a synthesis `family`."""
    found = calibration()
    if found is None:
        return (
            f"uncalibrated: circuits priced by the fabric and by {MEASURED_WITH}, whole layers not compared with "
            "synthesis" + ("" if rtl else "; Vitis HLS not measured, pipeline depth assumed")
        )
    basis = f"calibrated on the RTL form of these units under {found.tool}, {found.date}: {found.blind['sentence']}"
    if family not in found.families:
        basis += f"; {family}, the family of this part, was not in that test"
    return basis if rtl else basis + "; Vitis HLS was not measured, and its control logic and pipeline depth differ"

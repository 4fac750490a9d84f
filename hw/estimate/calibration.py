"""How far the estimates can be trusted: read from calibration.json, written by benchmarks/calibration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """`tool` and `date` of the synthesis the constants were fitted to; `blind` are the errors on layers left out."""

    tool: str
    date: str
    families: tuple[str, ...]
    command: str
    constants: dict[str, dict[str, float]] = field(repr=False)
    blind: dict[str, Any] = field(default_factory=dict)

    def constant(self, family: str, name: str) -> float:
        return self.constants[family if family in self.constants else self.families[0]][name]


@cache
def calibration() -> Calibration | None:
    """The calibration this installation carries; None if its constants were never fitted."""
    if not FILE.exists():
        return None
    facts = json.loads(FILE.read_text())
    return Calibration(**{**facts, "families": tuple(facts["families"])})


def sentence(rtl: bool) -> str:
    """What a reader must know about the figures of an RTL (`rtl`) or HLS project."""
    found = calibration()
    if found is None:
        return "uncalibrated: formulas of the fabric, not compared with any synthesis; pipeline depth assumed"
    basis = f"calibrated on the RTL form of these units under {found.tool}, {found.date}"
    return basis if rtl else basis + "; Vitis HLS was not measured, and its control logic and pipeline depth differ"

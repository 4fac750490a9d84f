"""How far the estimates can be trusted: read from calibration.json, written by benchmarks/calibration."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from crq.hw.cost.constants import FAMILY, MEASURED_WITH
from crq.hw.cost.own import Own
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.ir.layers import Mac

FILE = Path(__file__).parent / "calibration.json"

# The bars: LUT error in the mean, of each layer (or this many LUTs), and FF error in the mean.
LUT_MEAN, LUT_EACH, LUT_SMALL, FF_MEAN = 0.04, 0.12, 40, 0.03
# 4-input LUTs are mapped less evenly.
LUT4_MEAN, LUT4_EACH = 0.08, 0.24

# What Vitis HLS may make of a design whose RTL form was estimated, as factors of the estimate. A judgement: it was
# never measured. Adders, comparisons, ROMs and line buffers are the same sums of the same widths in both forms, so the
# order of magnitude stands; but HLS adds handshakes and loop control per process, places registers by the clock instead
# of every second adder level, puts FIFOs and small memories elsewhere, and may share or duplicate sums. Any of these
# alone can be tens of percent of a small unit, hence twice as much or half as much of everything.
HLS_BAND = (0.5, 2.0)


@dataclass(frozen=True)
class Calibration:
    """`tool` and `date` of the synthesis of layers that no formula had seen; `blind` are the errors on them."""

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


def kind(unit: Unit, fold: Fold | None) -> str:
    """The kind of a unit whose errors are told apart: a layer's, for sums of products that of the weights; of a unit
    with a window also its form. Without a folding it is one of io_parallel."""
    if fold is None:
        return f"{_weights(unit)}, io_parallel"
    if not unit.is_windowed:
        return unit.layer.kind
    form = fold.form
    if isinstance(unit.layer, Mac) and fold.form != FOLDED and unit.reuse_factor(fold) == 1:
        form = "unrolled"
    return f"{_weights(unit)}, {form}"


def _weights(unit: Unit) -> str:
    if not isinstance(unit.layer, Mac):
        return unit.layer.kind
    return f"{'ternary' if unit.layer.multiplier_free else 'integer'} sums"


def sentence(form: str, family: str, kinds: Collection[str] = (), own: bool = False) -> str:
    """What a reader must know about the figures of a project of `form` ("rtl", "hls" or "io_parallel") whose units are
    of `kinds`, on a synthesis `family`. own: its band is of the reader's vendor reports."""
    rtl, found = form == "rtl", calibrations()
    if not found:
        return (
            f"uncalibrated: circuits priced by the fabric and by {MEASURED_WITH}, whole layers not compared with "
            "synthesis" + ("" if rtl else "; Vitis HLS not measured, pipeline depth assumed")
        )
    measured_family = family if family in found else min(found)
    measured = found[measured_family]
    basis = f"on the RTL form of these units under {measured.tool}, {measured.date}: {measured.blind['sentence']}"
    if family not in found:
        basis += f"; {family}, the family of this part, was not in that test"
    basis += "".join(f"; {reservation}" for reservation in reservations(measured, kinds, measured_family))
    if rtl:
        return f"calibrated {basis}"
    differs = "control logic and pipeline depth differ"
    if form == "io_parallel":
        differs = "pipeline depth differs and it may make two adders of one with three operands"
    if own:
        return f"the band is of your own vendor reports; the estimate in it is calibrated {basis}; HLS's {differs}"
    return f"Vitis HLS was not measured: calibration is {basis}; HLS's {differs}, so its band is wider, and a judgement"


def reservations(found: Calibration, kinds: Collection[str], family: str = FAMILY) -> list[str]:
    """Where the errors of `kinds` are beyond the bars, or were not measured for this family."""
    result: list[str] = []
    elsewhere: list[str] = []
    nowhere: list[str] = []
    bar = max(LUT4_MEAN if family == "ecp5" else LUT_MEAN, found.blind.get("lut_mean", 0.0))
    for name in sorted(kinds):
        errors = found.blind.get("kinds", {}).get(name)
        if errors is None:
            others = any(name in other.blind.get("kinds", {}) for other in calibrations().values())
            (elsewhere if others else nowhere).append(name)
        elif errors["lut_mean"] > bar or errors["beyond"]:
            result.append(
                f"worse for {name}, which this network has: LUT mean error {errors['lut_mean']:.1%}, largest "
                f"{errors['lut_max']:.1%} ({errors['layers']} measured)"
            )
    if elsewhere:
        result.append(f"of this network's units, {', '.join(elsewhere)} were measured for another family only")
    if nowhere:
        result.append(f"of this network's units, {', '.join(nowhere)} were in no set")
    return result


def band(
    total: Resources, form: str, family: str, kinds: Collection[str], own: Own | None = None
) -> dict[str, Any] | None:
    """Per resource [low, high] around the estimated `total` of units of `kinds`, and what they rest on; None where
    nothing was measured. own: of the reader's vendor reports, for the HLS form."""
    measured = calibrations().get(family)
    if measured is None:
        return None
    facts: Mapping[str, float] = {"lut": total.lut, "ff": total.ff, "bram36": total.bram36, "dsp": total.dsp}
    if form != "rtl":
        if own is not None:
            return {**{key: own.ends(key, value, HLS_BAND) for key, value in facts.items()}, "basis": own.basis}
        low, high = HLS_BAND
        basis = f"a judgement: {low:g} to {high:g} times the estimate, as Vitis HLS was not measured"
        return {**{key: [value * low, value * high] for key, value in facts.items()}, "basis": basis}
    result: dict[str, Any] = {}
    for key, value in facts.items():
        # Kinds beyond the bars widen the band of networks that have them; few layers of a kind never narrow it.
        rows = measured.blind["kinds"].items()
        counted = [errors for name, errors in rows if name in kinds or not errors["beyond"]]
        found = [[1.0, 1.0], *(errors["spans"][key] for errors in counted if key in errors["spans"])]
        result[key] = [value * min(s[0] for s in found), value * max(s[1] for s in found)]
    return {**result, "basis": "if no unit is further off than the worst blind layer of 333 LUTs or more"}

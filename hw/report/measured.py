"""What the tools reported of a project against what was estimated of it: the clock, the rate, the areas, the part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from crq.hw.cost.own import NAMES
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError

CLOCK_ROUNDING = 0.005
"""Share by which a clock may differ from another that was meant to be the same."""


class Placed(NamedTuple):
    """A clock in MHz that the placed design runs at, of `tool`; `asked` is the project's, and `met` says which won."""

    tool: str
    mhz: float
    asked: float
    met: bool


def placed(report: Mapping[str, Any]) -> Placed | None:
    """The clock by the latest design that was placed for the report's part; None where there is none."""
    rows = [row for row in _rows(report) if row.get("placed") and row.get("reached_ns") and not foreign(row, report)]
    if not rows:
        return None
    row, asked = rows[-1], 1000 / report["clock_period_ns"]
    mhz = 1000 / max(row["clock_ns"], row["reached_ns"])
    return Placed(row["tool"], mhz, asked, mhz >= asked * (1 - CLOCK_ROUNDING))


class Pace(NamedTuple):
    """Images per second and µs for one, at the clock of the placed design if there is one, else at the project's."""

    frames_per_second: float
    latency_us: float
    placed: Placed | None


def pace(report: Mapping[str, Any]) -> Pace:
    """What the network does at the clock that it has."""
    summary, found = report["summary"], placed(report)
    factor = found.mhz / found.asked if found else 1.0
    return Pace(summary["frames_per_second"] * factor, summary["latency_us"] / factor, found)


def areas(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows whose areas are of the network alone, on the report's part: what the estimate stands for."""
    rows = [row for row in _rows(report) if row.get("alone", True) and not foreign(row, report)]
    return [row for row in rows if any(row[key] is not None for key in NAMES)]


class Share(NamedTuple):
    """How much of a resource of the part is taken, by the estimate (`tool` None) or as a tool counted it."""

    share: float
    tool: str | None


def shares(report: Mapping[str, Any]) -> dict[str, Share]:
    """By resource that the part has; of several tools the last that says it."""
    rows, found = areas(report), {}
    for name, facts in report["utilization"].items():
        if facts["share"] is None:
            continue
        said = [row for row in rows if row.get(name.lower()) is not None]
        counted = Share(said[-1][name.lower()] / facts["available"], said[-1]["tool"]) if said else None
        found[name] = counted or Share(facts["share"], None)
    return found


def outside(row: Mapping[str, Any], band: Mapping[str, Any]) -> list[str]:
    """Each area of `row` that the band does not hold, in words."""
    found = []
    for key, name in NAMES.items():
        if row[key] is not None and not band[key][0] - 1 < row[key] < band[key][1] + 1:
            low, high = band[key]
            found.append(f"{row[key]:,g} {name} where the band is {low:,.0f} to {high:,.0f}")
    return found


def foreign(row: Mapping[str, Any], report: Mapping[str, Any]) -> str | None:
    """What a row is of that the report is not: another FPGA, or, where nothing was placed, another clock."""
    clock, part = report["clock_period_ns"], report["device"]["part"]
    if row.get("part") and not _same_die(row["part"], part):
        return f"it is of {row['part']}, and this report of {part}"
    if row.get("clock_ns") and not row["placed"] and abs(row["clock_ns"] / clock - 1) > CLOCK_ROUNDING:
        return f"it is of a clock of {row['clock_ns']:g} ns, and this report of {clock:g} ns"
    return None


def contradictions(report: Mapping[str, Any]) -> list[str]:
    """Everything that a tool reported and that does not go with the estimate, by tool."""
    found = [f"{row['tool']}: {reason}" for row in _rows(report) if (reason := foreign(row, report))]
    if band := report["summary"].get("band"):
        found += [f"{row['tool']}: {', '.join(text)}" for row in areas(report) if (text := outside(row, band))]
    counted = report["summary"]["interval_cycles"]
    for row in _rows(report):
        if (row["interval_cycles"] or 0) > counted and not foreign(row, report):
            found.append(
                f"{row['tool']}: an image every {row['interval_cycles']:,g} cycles where {counted:,} are counted"
            )
    return found


def _rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(report["project"].get("vendor") or [])


def _same_die(one: str, other: str) -> bool:
    try:
        return find(one).die == find(other).die
    except HwError:  # a part that crq has no capacities of, so another one
        return False

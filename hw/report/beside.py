"""Estimate beside measurement: the units of a network that were synthesised (crq.hw.rtl.measure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold
from crq.hw.devices.catalog import priced
from crq.hw.ir.graph import Network

if TYPE_CHECKING:
    from rich.console import Console

    from crq.hw.rtl.measure import Measurements

WHAT = "the RTL form of each unit with the FIFOs in front of it"


def beside(network: Network, folds: Mapping[str, Fold], found: Measurements) -> dict[str, Any]:
    """`synthesis` of report.json. The estimate is made for the family that was measured, whatever the device.

    Units that were measured under another folding than `folds` are left out and named in `other_folding`.
    """
    expected = {unit.name: unit for unit in estimate(network, folds, priced(found.family)).units}
    rows = {name: m for name, m in found.units.items() if name in expected and m.fold == expected[name].fold}
    return {
        "tool": found.tool,
        "family": found.family,
        "created": found.created,
        "what": WHAT,
        "units_of_network": len(expected),
        "other_folding": sorted(found.units.keys() - rows.keys()),
        "units": [
            {
                "name": name, **m.fold._asdict(), "seconds": m.seconds,
                "estimated": expected[name].total.facts(), "measured": m.resources.facts(),
            }
            for name, m in rows.items()
        ],
        "total": {
            "estimated": Resources().plus(*(expected[name].total for name in rows)).facts(),
            "measured": Resources().plus(*(m.resources for m in rows.values())).facts(),
        },
    }  # fmt: skip


def error(row: Mapping[str, Any], key: str) -> str:
    """How far the estimate is from the measurement, as text."""
    measured, estimated = row["measured"][key], row["estimated"][key]
    if not measured:
        return "" if not estimated else "only estimated"
    return f"{(estimated - measured) / measured:+.1%}"


def headline(facts: Mapping[str, Any]) -> str:
    """What was measured, and how far the estimate of it is off in all."""
    total = facts["total"]
    stale = facts["other_folding"]
    return (
        f"{facts['tool']} for {facts['family']}, {len(facts['units'])} of {facts['units_of_network']} units, {WHAT}: "
        f"{total['measured']['lut']:,.0f} LUT measured, {total['estimated']['lut']:,.0f} estimated"
        + (f" ({error(total, 'lut')})" if facts["units"] else "")
        + (f"; measured under another folding, so not compared: {', '.join(stale)}" if stale else "")
    )


def render(facts: Mapping[str, Any], console: Console) -> None:
    """The comparison as a terminal table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("synthesised", min_width=11)
    for name in ("PE×SIMD", "LUT", "est.", "error", "FF", "est.", "error", "BRAM36", "est.", "DSP"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in [*facts["units"], {"name": "total", **facts["total"]}]:
        m, e = row["measured"], row["estimated"]
        table.add_row(
            row["name"], f"{row['pe']}×{row['simd']}" if "pe" in row else "",
            f"{m['lut']:,.0f}", f"{e['lut']:,.0f}", error(row, "lut"),
            f"{m['ff']:,.0f}", f"{e['ff']:,.0f}", error(row, "ff"),
            f"{m['bram36']:g}", f"{e['bram36']:g}", f"{m['dsp']}",
            style="bold" if "pe" not in row else None,
        )  # fmt: skip
    console.print(table)
    console.print(Text(f"{headline(facts)}.", style="dim"))

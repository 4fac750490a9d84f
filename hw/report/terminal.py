"""The report as terminal tables; works from report.json's content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crq.hw.report import adders, beside, sharing, sizes, vendor


def render(report: dict[str, Any], console: Console) -> None:
    """Prints `report` (the content of report.json)."""
    device, summary = report["device"], report["summary"]
    board = f" ({device['board']})" if device["board"] else ""
    console.print(
        f"[bold]{report['project'].get('name', 'network')}[/] on {device['part']}{board}, "
        f"clock {report['clock_period_ns']:g} ns"
    )
    if report["project"].get("verdict"):
        good, outcome, details = verdict(report["project"]["verdict"])
        console.print(Text(f"{outcome}: {details}", style="green" if good else "bold red"))
    console.print(_units(report))
    console.print(_capacity(report))
    if summary.get("band"):
        console.print(Text(f"band: {band_text(summary)}", style="dim"))
    console.print(
        f"{summary['frames_per_second']:,.0f} frames/s · one image every {summary['interval_cycles']:,} cycles "
        f"({bound(report)}) · latency {summary['latency_cycles']:,} cycles, "
        f"{adders.duration(summary['latency_us'])}"
    )
    if graphs := adders.text(report["units"]):
        console.print(graphs)
    if alike := report.get("shared_weights"):  # not in reports that were saved before
        console.print(sharing.text(alike))
    free = report["multiplier_free"]
    console.print("multiplier-free: " + ("every layer" if free["every_layer"] else
                  f"all but {', '.join(free['integer_layers'])}"))  # fmt: skip
    if report.get("bits_per_weight"):
        console.print(f"bits per weight: {sizes.text(report['bits_per_weight'])}")
    if report["synthesis"]:
        beside.render(report["synthesis"], console)
    if report["project"].get("vendor"):
        vendor.render(report, console)
    console.print(Text(f"Estimate for {device['family']}; {report['trust']}.", style="dim"))


def verdict(found: Mapping[str, Any]) -> tuple[bool, str, str]:
    """Whether the project was found equal and still is, that in a word, and what was found."""
    exact = found.get("equal", found["differing"] == 0)
    text = (
        f"{found['differing']:,} of {found['integers']:,} integers differ on {found['images']:,} images, against "
        f"{found['against']}"
    )
    proofs = [proof for proof in found.get("proofs") or [] if not proof["skipped"]]
    if proofs:
        failed = [proof["name"] for proof in proofs if not proof["ok"]]
        text += f"; proofs failed: {', '.join(failed)}" if failed else f"; {len(proofs)} proofs passed"
    if found.get("created"):
        text += f" ({found['created'][:10]})"
    if found.get("stale"):
        text += f"; STALE, {found['stale']}: simulate again"
    outcome = "Bit-exact" if exact else "NOT bit-exact" if found["differing"] else "FAILED"
    return exact and not found.get("stale"), outcome, text


def bound(report: dict[str, Any]) -> str:
    """What sets the frame rate."""
    name = report["summary"]["bottleneck"]
    return f"bound by {name}" if name else "io_parallel: every layer unrolled"


def band_text(summary: dict[str, Any]) -> str:
    """The low and high of every resource, and what they rest on."""
    band = summary["band"]
    spans = [f"{label} {between(band[key])}" for key, label in (("lut", "LUT"), ("ff", "FF"), ("bram36", "BRAM36"))]
    return f"{', '.join(spans)} ({band['basis']})"


def between(span: list[float]) -> str:
    low, high = (f"{value:,.0f}" if value >= 100 else f"{value:,.3g}" for value in span)
    return f"{low} to {high}"


def _units(report: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("unit", "kind"):
        table.add_column(name)
    for name in ("PE×SIMD", "cycles", "LUT", "as memory", "FF", "BRAM36", "DSP", "zeros"):
        table.add_column(name, justify="right")
    for unit in report["units"]:
        zeros = f"{unit['weights']['sparsity']:.0%}" if "weights" in unit else ""
        slow = unit["name"] == report["summary"]["bottleneck"]
        kind = f"{unit['kind']} {unit['form'] or ''}".rstrip()
        table.add_row(
            unit["name"], kind, f"{unit['pe']}×{unit['simd']}", f"{unit['interval_cycles']:,}",
            f"{unit['lut']:,.0f}", f"{unit['lut_memory']:,.0f}", f"{unit['ff']:,.0f}", f"{unit['bram36']:g}",
            f"{unit['dsp']}", zeros, style="yellow" if slow else None,
        )  # fmt: skip
    return table


def _capacity(report: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("resource")
    for name in ("used", "available", "share"):
        table.add_column(name, justify="right")
    for name, row in report["utilization"].items():
        share = row["share"]
        text = f"{share:.1%}" if share is not None else ""
        over = share is not None and share > 1
        table.add_row(name, f"{row['used']:,g}", f"{row['available']:,}", text + (" does not fit" if over else ""),
                      style="red" if over else None)  # fmt: skip
    return table

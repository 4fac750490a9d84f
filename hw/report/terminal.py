"""The report as terminal tables; works from report.json's content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crq.hw.report import adders, beside, sharing, sizes, vendor
from crq.hw.report.answers import answers
from crq.hw.report.names import shortened

WIDE = 100  # characters, from which on all columns have room
NARROW_NAME = 24


def render(report: dict[str, Any], console: Console) -> None:
    """Prints `report` (the content of report.json)."""
    device = report["device"]
    board = f" ({device['board']})" if device["board"] else ""
    title = Text(report["project"].get("name", "network"), style="bold")
    title.append(f" on {device['part']}{board}, clock {report['clock_period_ns']:g} ns", style="not bold")
    console.print(title)
    console.print(_answers(report))
    console.print(_units(report, narrow=console.width < WIDE))
    console.print(_capacity(report))
    if report["summary"].get("band"):
        console.print(Text(f"band: {band_text(report['summary'])}", style="dim"))
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
    vendor.render(report, console)
    console.print(Text(f"Estimate for {device['family']}; {report['trust']}.", style="dim"))


def _answers(report: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column()
    for answer in answers(report):
        style = {True: "green", False: "bold red", None: "yellow" if answer.warns else ""}[answer.good]
        table.add_row(Text(answer.question, style="bold"), Text(answer.text, style=style))
    return table


def band_text(summary: dict[str, Any]) -> str:
    """The low and high of every resource, and what they rest on."""
    band = summary["band"]
    spans = [f"{label} {between(band[key])}" for key, label in (("lut", "LUT"), ("ff", "FF"), ("bram36", "BRAM36"))]
    return f"{', '.join(spans)} ({band['basis']})"


def between(span: list[float]) -> str:
    low, high = (f"{value:,.0f}" if value >= 100 else f"{value:,.3g}" for value in span)
    return f"{low} to {high}"


def _units(report: dict[str, Any], narrow: bool) -> Table:
    """A row per unit; a narrow one has short names and leaves out what the table of resources has too."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("unit", overflow="fold")
    table.add_column("kind", overflow="fold")
    left_out = ("as memory", "DSP") if narrow else ()
    heads = [head for head in _FIGURES if head not in left_out]
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    names = [unit["name"] for unit in report["units"]]
    names_shown = shortened(names, NARROW_NAME) if narrow else dict(zip(names, names, strict=True))
    for unit in report["units"]:
        kind = f"{unit['kind']} {unit['form'] or ''}".rstrip()
        slow = unit["name"] == report["summary"]["bottleneck"]
        figures = [_FIGURES[head](unit) for head in heads]
        table.add_row(Text(names_shown[unit["name"]]), kind, *figures, style="yellow" if slow else None)
    return table


_FIGURES: dict[str, Callable[[dict[str, Any]], str]] = {
    "PE×SIMD": lambda unit: f"{unit['pe']}×{unit['simd']}",
    "cycles": lambda unit: f"{unit['interval_cycles']:,}",
    "LUT": lambda unit: f"{unit['lut']:,.0f}",
    "as memory": lambda unit: f"{unit['lut_memory']:,.0f}",
    "FF": lambda unit: f"{unit['ff']:,.0f}",
    "BRAM36": lambda unit: f"{unit['bram36']:g}",
    "DSP": lambda unit: f"{unit['dsp']}",
    "zeros": lambda unit: f"{unit['weights']['sparsity']:.0%}" if "weights" in unit else "",
}


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

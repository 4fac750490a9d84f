"""Reports of several projects, runs or foldings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crq.figures import ACCURACY, told
from crq.hw.report.measured import pace, shares
from crq.hw.report.paper import activation_bits, weight_bytes
from crq.hw.report.quality import quality


def _quality(report: dict[str, Any]) -> str:
    """Of a network whose figure is another than its accuracy: that, with its name."""
    metric, value = quality(report["project"])
    return told({metric: value}) if metric != ACCURACY and value is not None else ""


def _accuracy(report: dict[str, Any]) -> str:
    metric, value = quality(report["project"])
    return told({ACCURACY: value}) if metric == ACCURACY and value is not None else ""


def _exact(report: dict[str, Any]) -> str:
    if report["project"].get("changed"):
        return "UNKNOWN: files changed"
    verdict = report["project"].get("verdict")
    if not verdict:
        return "not simulated" if "ports" in report["project"] else ""
    if verdict.get("stale"):
        return "stale"
    if not verdict.get("equal", verdict["differing"] == 0):
        return f"NO, {verdict['differing']:,} differ"
    return f"yes, {verdict['images']:,} inputs vs {verdict['against']}" if "images" in verdict else "yes"


def _clock(report: dict[str, Any]) -> str:
    found = pace(report).placed
    return f"{1000 / found.mhz:.3g}, placed" if found else f"{report['clock_period_ns']:g}, assumed"


def _fullest(report: dict[str, Any]) -> str:
    """The resource that decides whether it fits, and its share of the part."""
    found = shares(report)
    name = max(found, key=lambda name: found[name].share)
    return f"{name} {found[name].share:.1%}"


def _form(report: dict[str, Any]) -> str:
    return str(report["project"].get("backend", "")).upper()


def _bits(report: dict[str, Any]) -> str:
    bits = report.get("bits_per_weight")
    return f"{bits['packed']:.2f}" if bits else ""


ROWS = (
    ("accuracy", _accuracy),
    ("quality", _quality),
    ("bits per weight", _bits),
    ("activation bits", activation_bits),
    ("weight bytes", weight_bytes),
    ("bit-exact", _exact),
    ("form", _form),
    ("part", lambda r: r["device"]["part"]),
    ("clock, ns", _clock),
    ("frames/s", lambda r: f"{pace(r).frames_per_second:,.0f}"),
    ("cycles per image", lambda r: f"{r['summary']['interval_cycles']:,}"),
    ("bound by", lambda r: r["summary"]["bottleneck"] or "nothing: unrolled"),
    ("latency, µs", lambda r: f"{pace(r).latency_us:,.1f}"),
    ("LUT", lambda r: f"{r['summary']['lut']:,.0f}"),
    ("FF", lambda r: f"{r['summary']['ff']:,.0f}"),
    ("BRAM36", lambda r: f"{r['summary']['bram36']:g}"),
    ("DSP", lambda r: f"{r['summary']['dsp']}"),
    ("fullest", _fullest),
)


def comparison(reports: Mapping[str, dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """The rows that say anything: what is compared, and a cell per report (name to the content of report.json)."""
    rows = [(label, [show(report) for report in reports.values()]) for label, show in ROWS]
    return [(label, cells) for label, cells in rows if any(cells)]


def render_comparison(reports: Mapping[str, dict[str, Any]], console: Console) -> None:
    """One column per report."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in reports:
        table.add_column(Text(name), justify="right", overflow="fold")
    for label, cells in comparison(reports):
        table.add_row(label, *map(Text, cells))
    console.print(table)
    for sentence in trust(reports):
        console.print(Text(sentence, style="dim"))


def trust(reports: Mapping[str, dict[str, Any]]) -> list[str]:
    """How far the figures can be trusted, once for the projects that it is the same of."""
    names: dict[str, list[str]] = {}
    for name, report in reports.items():
        names.setdefault(report["trust"], []).append(name)
    whose = {text: f"{', '.join(of)}: estimated" if len(names) > 1 else "Estimated" for text, of in names.items()}
    return [f"{whose[text]}; {text}." for text in names]

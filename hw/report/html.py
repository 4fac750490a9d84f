"""The report as one self-contained HTML file: no scripts, no network; made from report.json's content.

What the page says is in `templates`; here is how its figures are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crq.figures import ACCURACY, shown
from crq.hw.report import adders, sharing, sizes, vendor
from crq.hw.report.answers import answers
from crq.hw.report.beside import error, headline
from crq.hw.report.classes import accuracies, worst
from crq.hw.report.compare import comparison, trust
from crq.hw.report.dataflow import draw
from crq.hw.report.measured import pace
from crq.hw.report.terminal import between

# What a project may know of itself; the templates leave out what is None.
PROJECT = ("backend", "io_type", "folding", "classes", "vendor", "vendor_unread", "commands", "versions")


def render_html(report: dict[str, Any]) -> str:
    """The page for `report` (the content of report.json)."""
    return _environment().get_template("page.html.j2").render(_view(report), alone=False)


def render_comparison_html(reports: Mapping[str, dict[str, Any]]) -> str:
    """A page of several reports side by side (name to the content of report.json)."""
    view = {"names": list(reports), "rows": comparison(reports), "trust": trust(reports), "style": _style()}
    return _environment().get_template("comparison.html.j2").render(view)


def render_svg(report: dict[str, Any]) -> str:
    """The dataflow diagram of `report` as an SVG file."""
    return _environment().get_template("dataflow.svg.j2").render(_view(report), alone=True)


def _view(report: dict[str, Any]) -> dict[str, Any]:
    """`report` as the templates want it: every key that may be missing is there."""
    project = {**dict.fromkeys(PROJECT), **report["project"]}
    metric = project.get("metric", ACCURACY)
    quality = project.get(metric) or {}
    return {
        **report,
        "metric": metric,
        "quality": quality,
        "full": 1.0 if metric.endswith(ACCURACY) else max([1e-30, *map(abs, quality.values())]),
        "name": project.get("name", "network"),
        "project": project,
        "trust_sentence": report["trust"],
        # Neither is in reports that were saved before there were such figures.
        "band": report["summary"].get("band"),
        "bits_per_weight": report.get("bits_per_weight"),
        "shared_weights": sharing.text(report.get("shared_weights") or {}),
        "adder_graphs": adders.text(report["units"]),
        "answers": answers(report),
        "pace": pace(report),
        "classes": project["classes"],
        "shares": accuracies(project["classes"]) if project["classes"] else [],
        "mistakes": worst(project["classes"]) if project["classes"] else [],
        "diagram": draw(report) if report.get("streams") else None,
        "vendor_heads": ("tool", *vendor.HEADS),
        "vendor_rows": vendor.rows(report) if project["vendor"] else [],
        "style": _style(),
    }


def _style() -> str:
    return (files("crq.hw.report") / "templates" / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("crq.hw.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        fmt=format,
        shown=shown,
        width=_width,
        between=between,
        bits=sizes.text,
        error=error,
        headline=headline,
        duration=adders.duration,
    )
    return environment


def _width(share: float) -> str:
    """`share` of a bar's track; a bar ends where its track ends."""
    return f"{100 * min(max(share, 0), 1):.2f}%"

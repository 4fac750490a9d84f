"""The row of a network in a paper's table: as CSV, and as LaTeX with the booktabs package."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

from qonnx.core.datatype import DataType

from crq.hw.report.latex import tabular
from crq.hw.report.quality import quality
from crq.hw.report.verdict import MADE, verdict

COLUMNS = (
    "project", "network", "part", "metric", "value", "weight bits", "activation bits", "weight bytes", "LUT", "FF",
    "BRAM36", "DSP", "clock MHz", "latency us", "frames/s", "energy", "bit-exact", "basis",
)  # fmt: skip


def row(report: Mapping[str, Any], source: str = "") -> dict[str, str]:
    """The figures of report.json by `COLUMNS`, as plain text; empty where nothing is known. source: where the report is
    from. weight bits: mean of the packed weights."""
    project, summary = report["project"], report["summary"]
    metric, value = quality(project)
    bits = (report.get("bits_per_weight") or {}).get("packed")  # reports saved by early versions lack it
    cells = (
        source, project.get("name", "network"), report["device"]["part"], metric if value is not None else "",
        "" if value is None else f"{value:.4f}",
        f"{bits:.2f}" if bits else "", activation_bits(report),
        weight_bytes(report), f"{summary['lut']:.0f}",
        f"{summary['ff']:.0f}", f"{summary['bram36']:g}",
        f"{summary['dsp']}", f"{1000 / report['clock_period_ns']:.4g}", f"{summary['latency_us']:.4g}",
        f"{summary['frames_per_second']:.0f}", "not estimated",
        _exact(project.get("verdict")), "estimated",
    )  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def weight_bytes(report: Mapping[str, Any]) -> str:
    """Of all weights, packed."""
    bits = (report.get("bits_per_weight") or {}).get("packed")
    weights = sum(unit["weights"]["count"] for unit in report["units"] if "weights" in unit)
    return f"{math.ceil(bits * weights / 8)}" if bits else ""


def _exact(found: Mapping[str, Any] | None) -> str:
    """What was compared belongs to a yes."""
    if not found:
        return ""
    if not verdict(found)[0]:
        return "no"
    made = (found.get("samples") or {}).get(MADE, 0)
    given = found["images"] - made
    said = [f"{given} sample{'' if given == 1 else 's'}"] if given else []
    return f"yes, {' + '.join([*said, *([f'{made} made inputs'] if made else [])])} against {found['against']}"


def activation_bits(report: Mapping[str, Any]) -> str:
    """Bits of what the thresholds give: one number, or the least and the most of them."""
    found = {DataType[unit["output_type"]].bitwidth() for unit in report["units"] if unit["thresholds"]}
    return "-".join(str(bits) for bits in sorted({min(found), max(found)})) if found else ""


def to_csv(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """A header and a row per report."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for source, report in reports.items():
        writer.writerow({name: _no_formula(cell) for name, cell in row(report, source).items()})
    return out.getvalue()


def _no_formula(cell: str) -> str:
    """A name that a spreadsheet would compute is text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell


def to_latex(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """A tabular of the columns that any report fills."""
    rows = [row(report, source) for source, report in reports.items()]
    columns = [name for name in COLUMNS if any(r[name] for r in rows)]
    words = {"project", "network", "part", "metric", "energy", "bit-exact", "basis"}
    return tabular(columns, [[r[name] for name in columns] for r in rows], words)

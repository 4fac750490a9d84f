"""The report of a built project: its graph, folding, part and clock from the manifest, and what else it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hw.measure import FILE, load
from hw.project import open_project
from hw.report.model import Report, build_report


def project_report(directory: str | Path, *, part: str | None = None, clock_period_ns: float | None = None) -> Report:
    """The report of the project in `directory`, for its own part and clock unless others are given."""
    project = open_project(directory)
    manifest = project.manifest
    info: dict[str, Any] = {"name": project.name, "backend": "hls", "versions": manifest.get("versions", {})}
    info["folding"] = {"goal": manifest["goal"], "why": manifest["why"]}
    verdict, measured = project.directory / "verdict.json", project.directory / FILE
    if verdict.is_file():
        info["verdict"] = json.loads(verdict.read_text())
    return build_report(
        project.network, project.folds, part or manifest["part"], clock_period_ns or manifest["clock_period"],
        project_info=info, measurements=load(measured) if measured.is_file() else None,
    )  # fmt: skip

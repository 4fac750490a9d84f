"""The report of a built project: its graph, folding, part and clock from the manifest, and what else it recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qonnx.core.modelwrapper import ModelWrapper

from hw.errors import HwError
from hw.graph import Network
from hw.report.model import Report, build_report
from hw.units import Fold


def project_report(directory: str | Path, *, part: str | None = None, clock_period_ns: float | None = None) -> Report:
    """The report of the project in `directory`, for its own part and clock unless others are given."""
    folder = Path(directory)
    manifest_file, graph_file = folder / "manifest.json", folder / "integer_graph.onnx"
    if not manifest_file.is_file() or not graph_file.is_file():
        raise HwError(f"{folder}: no crq project (manifest.json and integer_graph.onnx); make one with `crq build`")
    manifest = json.loads(manifest_file.read_text())
    folds = {name: Fold(*fold) for name, fold in manifest["folding"].items()}
    info: dict[str, Any] = {"name": manifest["project"], "backend": "hls", "versions": manifest.get("versions", {})}
    verdict = folder / "verdict.json"
    if verdict.is_file():
        info["verdict"] = json.loads(verdict.read_text())
    measured = folder / "synthesis.json"
    if measured.is_file():
        info["synthesis"] = json.loads(measured.read_text())
    return build_report(
        Network(ModelWrapper(str(graph_file))), folds, part or manifest["part"],
        clock_period_ns or manifest["clock_period"], project_info=info,
    )  # fmt: skip

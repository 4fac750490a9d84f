"""What synthesis and place and route reported of a project, where they ran, beside the estimate."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from crq.hw.cost.network import estimate
from crq.hw.cost.own import RESOURCES, Pair
from crq.hw.dataflow.timing import TIMINGS
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.forms.built import Built
from crq.hw.vivado.project import FOLDER
from crq.hw.vivado.reports import implementation

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("lut", "ff", "bram36", "dsp", "latency_cycles", "interval_cycles")
HEADS = ("LUT", "FF", "BRAM36", "DSP", "latency, cycles", "cycles per image")


def vendor_reports(directory: Path, name: str) -> list[dict[str, Any]]:
    """One entry per report found in the project `name` in `directory`: `tool` and the figures it gives, else null.

    Raises `HwError` for reports that cannot be read.
    """
    return [*_of_hls(directory, name), *_of_vivado(directory), *_of_bitstreams(directory)]


def _of_bitstreams(directory: Path) -> list[dict[str, Any]]:
    """Those of `crq bitstream` with open tools: of the whole design, with its serial port."""
    found = []
    for file in sorted(directory.glob("bitstream/*/bitstream.json")):
        try:
            facts = json.loads(file.read_text())
            used = {key: use["used"] for key, use in facts["utilisation"].items()}
            tool = (
                f"nextpnr for {facts['board']}, the design with its serial port, {facts['reached_mhz']:.1f} MHz of "
                f"{facts['clock_mhz']:.1f} asked for"
            )
        except (ValueError, LookupError, TypeError) as error:
            raise HwError(f"{file}: no result of crq bitstream ({error}); run crq bitstream again") from error
        luts = next((used[key] for key in ("LUT4", "LUT") if key in used), None)
        found.append(_row(tool, lut=luts, ff=used.get("FF")))
    return found


def _of_vivado(directory: Path) -> list[dict[str, Any]]:
    """Of the project that `crq bitstream` writes for boards with a Zynq."""
    rows = []
    for folder in sorted((directory / FOLDER).glob("*/")):
        found = implementation(folder)
        if found is not None:
            tool = f"Vivado for {folder.name}, worst slack {found.slack:g} ns"
            rows.append(_row(tool, lut=found.lut, ff=found.ff, bram36=found.bram36, dsp=found.dsp))
    return rows


def _of_hls(directory: Path, name: str) -> list[dict[str, Any]]:
    if not list(directory.glob(f"{name}_prj/*/syn/report/{name}_csynth.xml")):
        return []
    from hls4ml.report.vivado_report import parse_vivado_report

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints which reports are missing
            found = parse_vivado_report(str(directory))
        return [row(found[key]) for key, row in _ROWS.items() if found.get(key)]
    except (ParseError, LookupError, AttributeError, ValueError) as error:
        raise HwError(
            f"{directory / (name + '_prj')}: hls4ml cannot read the vendor reports in it ({type(error).__name__}: "
            f"{error}); run Vitis again to the end, or remove that folder to report without them"
        ) from error


def _row(tool: str, **figures: Any) -> dict[str, Any]:
    return {"tool": tool, **dict.fromkeys(COLUMNS), **{key: _number(value) for key, value in figures.items()}}


def _number(value: Any) -> float | None:
    """Vitis writes "undef" or "NA" for what it does not know."""
    return None if str(value) in ("undef", "NA", "-", "None") else float(value)


def _c_synthesis(found: Mapping[str, Any]) -> dict[str, Any]:
    blocks = _number(found.get("BRAM_18K"))
    return _row(
        "Vitis HLS synthesis", lut=found.get("LUT"), ff=found.get("FF"), dsp=found.get("DSP"),
        bram36=None if blocks is None else blocks / 2,
        latency_cycles=found.get("WorstLatency"), interval_cycles=found.get("IntervalMax"),
    )  # fmt: skip


def _logic_synthesis(found: Mapping[str, Any]) -> dict[str, Any]:
    # hls4ml's "BRAM_18K" is the row "Block RAM Tile" here: 36 Kib each.
    return _row(
        "Vivado synthesis", lut=found.get("LUT"), ff=found.get("FF"), dsp=found.get("DSP48E"),
        bram36=found.get("BRAM_18K"),
    )  # fmt: skip


def _cosimulation(found: Mapping[str, Any]) -> dict[str, Any]:
    return _row(
        f"Vitis HLS cosim ({found.get('Status')})", latency_cycles=found.get("LatencyMax"),
        interval_cycles=found.get("IntervalMax"),
    )  # fmt: skip


_ROWS = {
    "CSynthesisReport": _c_synthesis,
    "VivadoSynthReport": _logic_synthesis,
    "CosimReport": _cosimulation,
}


STAGES = ("Vitis HLS synthesis", "Vivado synthesis")
"""The tools whose areas are of the design that is estimated, from early to late."""


def pair(directory: Path) -> Pair:
    """The latest vendor report of the HLS project in `directory` beside its estimate.

    Raises `HwError` for what is no HLS project, and for one without such a report.
    """
    built = Built(directory)
    if built.manifest.target != "hls":
        raise HwError(f"{directory} is an RTL project, whose areas are calibrated already; expected HLS projects")
    found = [entry for stage in STAGES for entry in vendor_reports(directory, built.name)
             if entry["tool"] == stage]  # fmt: skip
    if not found:
        raise HwError(
            f"{directory} holds no report of Vitis HLS or Vivado: run its build_prj.tcl, or copy the folder "
            f"{built.name}_prj from where it ran"
        )
    used = estimate(
        built.network, built.folds, find(built.manifest.part).priced, built.manifest.io_type, TIMINGS["hls"]
    ).total
    return Pair(
        str(directory), found[-1]["tool"], {key: getattr(used, key) for key in RESOURCES},
        {key: found[-1][key] for key in RESOURCES},
    )  # fmt: skip


def rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Text cells of the table (COLUMNS after the tool): crq's estimate, then each vendor report."""
    estimated = {"tool": "crq, estimate", **report["summary"]}
    return [
        (entry["tool"], *("" if entry[key] is None else f"{entry[key]:,.10g}" for key in COLUMNS))
        for entry in [estimated, *report["project"]["vendor"]]
    ]


def render(report: Mapping[str, Any], console: Console) -> None:
    """The comparison as a terminal table."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("other tools")
    for head in HEADS:
        table.add_column(head, justify="right")
    for cells in rows(report):
        table.add_row(*cells)
    console.print(table)

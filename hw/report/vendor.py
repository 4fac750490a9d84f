"""What synthesis and place and route reported of a project, where they ran, beside the estimate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from crq.hw.cost.network import estimate
from crq.hw.cost.own import RESOURCES, Pair
from crq.hw.dataflow.timing import TIMINGS
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.forms.built import Built
from crq.hw.hls import reports as hls
from crq.hw.vivado import reports as vivado
from crq.hw.vivado.project import FOLDER

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("lut", "ff", "bram36", "dsp", "latency_cycles", "interval_cycles")
HEADS = ("LUT", "FF", "BRAM36", "DSP", "latency, cycles", "cycles per image")
CLOCKS = ("part", "clock_ns", "reached_ns")
SYNTHESIS, LOGIC = "Vitis HLS synthesis", "Vivado synthesis"


class Found(NamedTuple):
    """`rows`: one per report, with its `tool`, whether its areas are of the network `alone`, whether its clock is of a
    design that is `placed`, the `part` it is of, the clock asked for and reached in ns, and the figures of `COLUMNS`;
    null where it does not say. `unread`: what lies there and is no row, and why."""

    rows: list[dict[str, Any]]
    unread: list[str]


def vendor_reports(directory: Path, name: str, clock_period: float) -> Found:
    """The reports in the project `name`, of `clock_period` ns, in `directory`."""
    found = Found([], [])
    for reader in (_of_hls, _of_vivado, _of_bitstreams):
        for file, row in reader(directory, name, clock_period):
            try:
                if made := row():
                    found.rows.append(made)
            except HwError as error:
                found.unread.append(f"{file.relative_to(directory)}: not read, as it is {error}")
    return found


Entries = Iterator[tuple[Path, Callable[[], dict[str, Any] | None]]]
"""A file, and what reads it: a row, None where it says nothing, or `HwError` with what is wrong."""


def _of_hls(directory: Path, name: str, clock_period: float) -> Entries:
    """Of Vitis HLS, whose top is the network's function or the AXI4-Stream core, and of Vivado behind it."""
    tops = {name: "", f"{name}_axi": f", {name}_axi"}
    solutions = sorted(path for path in directory.glob(f"{name}_prj/*") if path.is_dir())
    for solution in solutions:
        made, cosimulated, _ = (hls.REPORTS[i] for i in range(3))
        files = {top: solution / made.format(top=top) for top in tops}
        for top, more in tops.items():
            if files[top].is_file():
                yield files[top], partial(_synthesis, files[top], more)
            if (file := solution / cosimulated.format(top=top)).is_file():
                yield file, partial(_cosimulation, file)
        others = sorted((solution / "syn" / "report").glob("*_csynth.xml"))
        if others and not any(file.is_file() for file in files.values()):
            yield others[0], partial(_of_another, [file.name for file in files.values()])
    if (logic := directory / hls.REPORTS[2]).is_file():
        yield logic, lambda: _row(LOGIC, **hls.logic(logic)._asdict())


def _synthesis(file: Path, more: str) -> dict[str, Any]:
    found = hls.synthesis(file)
    return _row(
        SYNTHESIS + more, part=found.part, clock_ns=found.clock, reached_ns=found.reached, lut=found.lut, ff=found.ff,
        bram36=found.bram36, dsp=found.dsp, latency_cycles=found.latency, interval_cycles=found.interval,
    )  # fmt: skip


def _cosimulation(file: Path) -> dict[str, Any] | None:
    found = hls.cosimulation(file)
    if found is None:
        return None
    tool = f"Vitis HLS cosim ({found.status})"
    return _row(tool, latency_cycles=found.latency, interval_cycles=found.interval)


def _of_another(expected: list[str]) -> dict[str, Any]:
    raise HwError(f"of another function; expected {' or '.join(expected)}")


def _of_vivado(directory: Path, name: str, clock_period: float) -> Entries:
    """Of the project that `crq bitstream` writes for boards with a Zynq; one report may be there without the other."""
    for folder in sorted((directory / FOLDER).glob("*/")):
        timing, usage = folder / vivado.TIMING, folder / vivado.USAGE
        if not (timing.is_file() or usage.is_file()):
            continue

        def both(timing: Path = timing, usage: Path = usage, board: str = folder.name) -> dict[str, Any]:
            part, tool = find(board).part, f"Vivado for {board}"
            slack = vivado.slack(timing) if timing.is_file() else None
            used = vivado.used(usage)._asdict() if usage.is_file() else {}
            told = "no timing.rpt" if slack is None else f"worst slack {slack:g} ns"
            reached = None if slack is None else clock_period - slack
            tool += f", {told}" + ("" if used else ", no utilization.rpt")
            return _row(tool, placed=True, part=part, clock_ns=clock_period, reached_ns=reached, **used)

        yield (timing if timing.is_file() else usage), both


def _of_bitstreams(directory: Path, name: str, clock_period: float) -> Entries:
    """Those of `crq bitstream` with open tools: of the whole design, with its serial port."""
    for file in sorted(directory.glob("bitstream/*/bitstream.json")):
        yield file, partial(_placed, file)


def _placed(file: Path) -> dict[str, Any]:
    try:
        facts = json.loads(file.read_text())
        uses, device = facts["utilisation"], find(facts["part"])
        tool = (
            f"nextpnr for {facts['board']}, the design with its serial port, {facts['reached_mhz']:.1f} MHz of "
            f"{facts['clock_mhz']:.1f} asked for"
        )
        cells = uses.get("LUT4 with FF")  # iCE40 has a LUT and a flip-flop in each cell
        lut, ff = (cells or uses.get("LUT4"), uses.get("FF"))
        blocks = uses.get("block RAM")
        return _row(
            tool, alone=False, placed=True, part=facts["part"], clock_ns=1e3 / facts["clock_mhz"],
            reached_ns=1e3 / facts["reached_mhz"], lut=lut and lut["used"], ff=ff and ff["used"],
            bram36=blocks and round(blocks["used"] * device.bram36 / blocks["available"], 2),
        )  # fmt: skip
    except (ValueError, LookupError, TypeError, ZeroDivisionError) as error:
        raise HwError(f"no result of crq bitstream ({error}); run crq bitstream again") from error


def _row(tool: str, *, alone: bool = True, placed: bool = False, **figures: Any) -> dict[str, Any]:
    return {"tool": tool, "alone": alone, "placed": placed, **dict.fromkeys((*CLOCKS, *COLUMNS)), **figures}


def pair(directory: Path) -> Pair:
    """The latest vendor report of the HLS project in `directory` beside its estimate.

    Raises `HwError` for what is no HLS project, for one without such a report, and for one with a report that is of
    another part.
    """
    built = Built(directory)
    if built.manifest.target != "hls":
        raise HwError(f"{directory} is an RTL project, whose areas are calibrated already; expected HLS projects")
    found = vendor_reports(directory, built.name, built.manifest.clock_period)
    if found.unread:
        raise HwError(f"{directory}: {'; '.join(found.unread)}. Copy it again, or move it away")
    rows = [row for tool in (SYNTHESIS, LOGIC) for row in found.rows if row["tool"].split(",")[0] == tool]
    if not rows:
        raise HwError(
            f"{directory} holds no report of Vitis HLS or Vivado: run its build_prj.tcl, or copy the folder "
            f"{built.name}_prj from where it ran"
        )
    used = estimate(
        built.network, built.folds, find(built.manifest.part).priced, built.manifest.io_type, TIMINGS["hls"]
    ).total
    return Pair(
        str(directory), rows[-1]["tool"], {key: getattr(used, key) for key in RESOURCES},
        {key: rows[-1][key] for key in RESOURCES},
    )  # fmt: skip


def rows(report: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Text cells of the table (COLUMNS after the tool): crq's estimate, then each vendor report."""
    estimated = {"tool": "crq, estimate", **report["summary"]}
    return [
        (entry["tool"], *("" if entry[key] is None else f"{entry[key]:,.10g}" for key in COLUMNS))
        for entry in [estimated, *(report["project"].get("vendor") or [])]
    ]


def render(report: Mapping[str, Any], console: Console) -> None:
    """The comparison as a terminal table."""
    from rich.table import Table
    from rich.text import Text

    if report["project"].get("vendor"):
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("other tools")
        for head in HEADS:
            table.add_column(head, justify="right")
        for cells in rows(report):
            table.add_row(*cells)
        console.print(table)
    for line in report["project"].get("vendor_unread") or []:
        console.print(Text(line, style="yellow"))

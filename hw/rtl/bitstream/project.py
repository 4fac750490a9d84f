"""The bitstream of an RTL project: what lies in its folder bitstream/BOARD, and its netlists against the network."""

from __future__ import annotations

import datetime
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.files import sha256, write_json, write_text
from crq.hw.dataflow.names import bounded
from crq.hw.devices.boards import OpenBoard, find_board
from crq.hw.errors import HwError
from crq.hw.forms.folder import own
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.bitstream import netlist, tools
from crq.hw.rtl.bitstream.flow import SEEDS, ClockMissed, Heard, Made, default_cache, make
from crq.hw.rtl.bitstream.simulate import compiled, running
from crq.hw.rtl.board.driver import connected
from crq.hw.rtl.board.wrap import wrap
from crq.hw.rtl.built import Built
from crq.hw.rtl.verilog import Design

FILE, SCHEMA = "bitstream.json", 1
STAGES = ("synthesis", "place and route")
FASTEST = 4
"""Cycles per bit of the serial line in simulation, where only the cycles cost time."""


class Simulated(NamedTuple):
    """What a netlist made of images: integers (N, C, H, W), the seconds that building it and running it took."""

    integers: IntArray
    build_seconds: float
    seconds: float


@dataclass(frozen=True)
class Bitstream:
    """A bitstream in `folder`, and how it came about."""

    folder: Path
    built: Built
    made: Made

    @property
    def file(self) -> Path:
        return self.folder / f"{self.built.name}.{self.made.file.suffix.removeprefix('.')}"

    @property
    def program(self) -> list[str]:
        """The command that programs the board."""
        return programmer(self.made.wrapped.board, self.file)

    def simulate(
        self, stage: str, codes: NDArray[np.integer], cache: Path | None = None,
        done: Callable[[int], None] = lambda n: None,
    ) -> Simulated:  # fmt: skip
        """Input codes (N, C, H, W) through the netlist that a stage of `STAGES` left, over its serial line.

        Raises `ToolError` without Verilator, `DamagedAnswer` or `HwError` if the netlist answers wrongly or not at all.
        """
        if stage not in STAGES:
            raise HwError(f"stage {stage!r}: expected one of {', '.join(STAGES)}")
        step = self.made.synthesis if stage == STAGES[0] else self.made.routed.done
        file = step.folder / (tools.NETLIST if stage == STAGES[0] else tools.ROUTED)
        folder, board = cache or default_cache(), self.made.wrapped.board
        plain = netlist.simulated(netlist.read(file), board.family, folder, step.folder.name, stage)
        program = compiled(plain, folder)
        started = time.monotonic()
        with (
            running(program, self.made.wrapped.mhz * 1e6, self.patience) as terminal,
            connected(terminal, self.built.network, self.made.wrapped.facts.hash, wait=600.0) as device,
        ):
            facts = device.facts()
            device.speed_up(facts.khz, FASTEST)
            found = device.integers(codes, done)
        return Simulated(found, plain.seconds + program.seconds, time.monotonic() - started)

    @property
    def patience(self) -> int:
        """Cycles without traffic after which a board has nothing more to say."""
        return 2 * self.built.plan.pipeline.latency + 100_000

    def facts(self) -> dict[str, Any]:
        """The content of bitstream.json."""
        made, wrapped = self.made, self.made.wrapped
        pace, best = self.built.plan.pipeline, made.routed.timing
        return {
            "schema": SCHEMA, "project": self.built.name, "board": wrapped.board.name, "part": wrapped.board.part,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "clock_mhz": wrapped.mhz, "reached_mhz": best.mhz, "seed": made.routed.seed,
            "frames_per_second": wrapped.mhz * 1e6 / pace.interval, "latency_us": pace.latency / wrapped.mhz,
            "baud": round(wrapped.mhz * 1e6 / wrapped.divisor), "hash": wrapped.facts.hash.hex(),
            "utilisation": {name: use._asdict() for name, use in made.routed.use.items()},
            "critical_path": {"places": best.places, "hops": [hop._asdict() for hop in best.path]},
            "seeds": [{"seed": r.seed, "mhz": r.timing.mhz} for r in made.seeds],
            "steps": [{k: v for k, v in step.facts().items() if k != "folder"} for step in made.steps],
            "tools": made.versions, "file": self.file.name, "sha256": sha256(self.file), "program": self.program,
        }  # fmt: skip


def programmer(board: OpenBoard, file: Path) -> list[str]:
    """The command line that programs a board; openFPGALoader is a package of the extra."""
    return [str(Path(sys.executable).with_name("openfpgaloader-cli")), *board.programmer, str(file)]


def bitstream(
    built: Built, board: str | None = None, *, clock_mhz: float | None = None, slower: bool = False, seeds: int = SEEDS,
    jobs: int = 2, cache: Path | None = None, heard: Heard = lambda step, line: None,
) -> Bitstream:  # fmt: skip
    """The bitstream of a project for a board at a clock; by default the project's own. slower: where no seed reaches
    it, take a clock that one reaches.

    Raises `HwError` for a board that is not known or not given, a clock that is not reached, a design that is too
    large; `ToolError` for tools.
    """
    built.require_one_port("crq bitstream")
    facts = built.manifest
    if board is None and facts.board is None:
        raise HwError(f"{built.directory}: built for the part {facts.part}, not for a board; name one with --board")
    target = find_board(board or facts.board or "")
    if clock_mhz is not None and not clock_mhz > 0:
        raise HwError(f"clock {clock_mhz!r} MHz: expected a positive number")
    top = facts.tops["network"]
    memories = {path.name: path.read_text() for path in sorted((built.directory / "rtl").glob("*.mem"))}
    sources = {name: text for name, text in built.sources().items() if name != f"{facts.tops['axi']}.sv"}
    design = Design(top, sources, memories, target.family)
    layers = {bounded(made.name): unit.name for unit, made in built.plan.units()}
    mhz, made = clock_mhz or 1000 / facts.clock_period, None
    [x], [y] = built.plan.inputs, built.plan.outputs
    while made is None:
        wrapped = wrap(design, x, y, target, mhz, bytes.fromhex(facts.source["sha256"]))
        try:
            made = make(wrapped, layers, seeds=seeds, jobs=jobs, cache=cache, heard=heard)
        except ClockMissed as missed:
            if not slower:
                if mhz * facts.clock_period <= 1000.5:
                    raise
                more = f", or build the project for this clock (--clock-period {1000 / mhz:.4g}), which registers more"
                raise ClockMissed(f"{missed}{more}", missed.slower) from missed
            heard(f"going on at {missed.slower} MHz, {mhz:g} MHz were not reached", "")
            mhz = missed.slower
    folder = built.directory / "bitstream" / target.name.lower()
    folder.mkdir(parents=True, exist_ok=True)
    result = Bitstream(folder, built, made)
    shutil.copyfile(made.file, result.file)
    write_text(folder / f"{wrapped.design.top}.sv", wrapped.design.sources[f"{wrapped.design.top}.sv"])
    write(result, [])
    return result


def write(made: Bitstream, verdicts: list[dict[str, Any]]) -> None:
    """bitstream.json and summary.txt, with what netlists were compared with."""
    facts = {**made.facts(), "netlists": verdicts}
    write_json(made.folder / FILE, facts)
    write_text(made.folder / "summary.txt", summary(facts))
    for path in made.folder.iterdir():
        own(made.built.directory, path)


def read(folder: Path) -> dict[str, Any]:
    """A bitstream.json. Raises `HwError` if there is none of this schema."""
    try:
        facts: dict[str, Any] = json.loads((folder / FILE).read_text())
        if facts["schema"] != SCHEMA:
            raise ValueError(f"schema {facts['schema']!r}")
    except (OSError, ValueError, LookupError) as error:
        raise HwError(f"{folder}: no bitstream of this version ({error}); make it with `crq bitstream`") from error
    return facts


def summary(facts: dict[str, Any]) -> str:
    """A bitstream.json for people."""
    lines = [
        f"{facts['project']} on {facts['board']} ({facts['part']})",
        f"clock       {facts['clock_mhz']:g} MHz; place and route reached {facts['reached_mhz']:g} MHz with seed "
        f"{facts['seed']}",
        f"speed       {facts['frames_per_second']:,.0f} frames/s in the network, latency {facts['latency_us']:,.1f} µs",
        "uses        " + ", ".join(f"{n} {u['used']:,} of {u['available']:,}" for n, u in facts["utilisation"].items()),
        "slowest     " + " → ".join(facts["critical_path"]["places"]),
    ]
    for step in facts["steps"]:
        again = ", done earlier" if step["cached"] else ""
        lines.append(f"{step['name']:26} {step['seconds']:7.1f} s {step['memory_mb']:7,.0f} MB{again}")
    for verdict in facts["netlists"]:
        lines.append(f"netlist of {verdict['stage']}: {verdict['text']}")
    return "\n".join([*lines, f"program     {' '.join(facts['program'])}"]) + "\n"

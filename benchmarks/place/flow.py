"""Synthesis, place and route, and packing of a design for ECP5, each with its time and its peak memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crq.hw.rtl.generate import write
from crq.hw.rtl.synth import DEFINES, PASSES, SCRIPT
from crq.hw.rtl.verilog import Design

TOP = "board"
# A process of its own, as memory that the parent had counts as its child's until the child is replaced.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
DEVICES = {"12k": "--12k", "25k": "--25k", "45k": "--45k", "85k": "--85k"}


class Step(NamedTuple):
    """One run of a tool."""

    seconds: float
    megabytes: float
    text: str


class Routed(NamedTuple):
    """What place and route reports: MHz, cells by kind as (used, there are), the slowest path."""

    mhz: float
    cells: dict[str, tuple[int, int]]
    path: list[dict[str, Any]]


def board(design: Design) -> Design:
    """`design` between two FIFOs, so that every path of its handshakes ends in a register."""
    ports = re.search(r"module network \((.*?)\);", design.sources[f"{design.top}.sv"], re.S)
    assert ports is not None
    bits = {n: int(b) + 1 for b, n in re.findall(r"\[(\d+):0\] (in0_data|out_data)", ports[1])}
    text = f"""module {TOP} (
    input logic clk, input logic rst,
    input logic in0_valid, output logic in0_ready, input logic [{bits["in0_data"] - 1}:0] in0_data,
    output logic out_valid, input logic out_ready, output logic [{bits["out_data"] - 1}:0] out_data
);
  wire i_valid, i_ready, o_valid, o_ready;
  wire [{bits["in0_data"] - 1}:0] i_data;
  wire [{bits["out_data"] - 1}:0] o_data;
  logic held;
  always_ff @(posedge clk) held <= rst;
  crq_fifo #(.WIDTH({bits["in0_data"]}), .DEPTH(2), .FLAGS(1)) u_in (
      .clk(clk), .rst(held), .in_valid(in0_valid), .in_ready(in0_ready), .in_data(in0_data),
      .out_valid(i_valid), .out_ready(i_ready), .out_data(i_data)
  );
  {design.top} u_network (
      .clk(clk), .rst(held), .in0_valid(i_valid), .in0_ready(i_ready), .in0_data(i_data),
      .out_valid(o_valid), .out_ready(o_ready), .out_data(o_data)
  );
  crq_fifo #(.WIDTH({bits["out_data"]}), .DEPTH(2), .FLAGS(1)) u_out (
      .clk(clk), .rst(held), .in_valid(o_valid), .in_ready(o_ready), .in_data(o_data),
      .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data)
  );
endmodule
"""
    return Design(TOP, {**design.sources, f"{TOP}.sv": text}, design.memories, design.family)


def timed(command: Sequence[str], folder: Path, log: str) -> Step:
    """Runs a tool and keeps what it says in `log`. Raises RuntimeError with the end of it if the tool fails."""
    started = time.monotonic()
    with open(folder / log, "w") as file:
        measured = [sys.executable, "-c", MEASURE, *command]
        code = subprocess.run(measured, cwd=folder, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    text = (folder / log).read_text()
    if code:
        raise RuntimeError(f"{command[0]}: status {code}\n{text[-3000:]}")
    return Step(round(time.monotonic() - started, 1), round(int(text.split()[-1]) / 1024), text)


def synthesise(design: Design, folder: Path) -> Step:
    """Writes board.json for nextpnr and netlist.v for simulation."""
    write(design, folder)
    commands = [
        f"read_verilog -sv -D{DEFINES['ecp5']} -defer {' '.join(design.sources)}",
        f"{PASSES['ecp5']} -top {design.top} -json board.json",
        "write_verilog -noattr netlist.v",
    ]
    return timed([sys.executable, "-c", SCRIPT, *commands], folder, "yosys.log")


def place(folder: Path, nextpnr: str, device: str, package: str, speed: int, mhz: float, seed: int) -> Step:
    """Writes board.config and report.json."""
    command = [
        nextpnr, DEVICES[device], "--package", package, "--speed", str(speed), "--json", "board.json", "--textcfg",
        "board.config", "--report", "report.json", "--freq", str(mhz), "--seed", str(seed), "--timing-allow-fail",
        "--lpf-allow-unconstrained",
    ]  # fmt: skip
    return timed(command, folder, "nextpnr.log")


def pack(folder: Path, ecppack: str) -> Step:
    """Writes board.bit."""
    return timed([ecppack, "--compress", "board.config", "board.bit"], folder, "ecppack.log")


def routed(folder: Path) -> Routed:
    facts = json.loads((folder / "report.json").read_text())
    mhz = min(clock["achieved"] for clock in facts["fmax"].values())
    cells = {kind: (n["used"], n["available"]) for kind, n in facts["utilization"].items() if n["used"]}
    paths = [p for p in facts["critical_paths"] if p["from"].startswith("posedge") and p["to"].startswith("posedge")]
    return Routed(mhz, cells, max(paths, key=lambda p: sum(s["delay"] for s in p["path"]))["path"])


def circuits(path: Sequence[dict[str, Any]]) -> list[tuple[str, float]]:
    """(instances of our modules, ns) along a path: gates and, in front of them, the nets that lead there."""
    result: list[tuple[str, float]] = []
    for part in path:
        at = part["to" if part["type"] in ("setup", "routing") else "from"]["cell"]
        name = ".".join(p for p in at.split(".") if p.startswith("u_")) or "carry"
        kind = "net to " if part["type"] == "routing" else ""
        if result and (result[-1][0] == kind + name or not part["delay"]):
            result[-1] = result[-1][0], result[-1][1] + part["delay"]
        else:
            result.append((kind + name, part["delay"]))
    return [(name, round(delay, 2)) for name, delay in result]

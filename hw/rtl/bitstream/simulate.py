"""Netlists in Verilator: a program that is the board, its serial line at a pseudo-terminal."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from crq.errors import ToolError
from crq.hw.rtl.bitstream.netlist import NAME
from crq.hw.rtl.bitstream.steps import Done, key_of, run_step

# A bench spends its time in the model: worth an optimising compiler, but not its slow passes.
EFFORT = "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1"


def compiled(netlist: Done, cache: Path, faults: bool = False) -> Done:
    """A step whose folder has the program obj/V`NAME` of a netlist's sim.v.

    Raises `ToolError` if Verilator is missing or fails.
    """
    verilator = shutil.which("verilator")
    if verilator is None:
        raise ToolError("netlists are simulated with Verilator: apt-get install verilator")
    bench = (files("crq.hw.rtl.bitstream") / "bench.cpp").read_text()
    command = [
        verilator, "--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "-Wno-fatal", "-Wno-lint", "-Wno-style",
        "-Mdir", "obj", "--top-module", NAME, "-MAKEFLAGS", EFFORT, "sim.v", "bench.cpp",
        *(["-CFLAGS", "-DCRQ_FAULTS"] if faults else []),
    ]  # fmt: skip
    program = f"obj/V{NAME}"
    return run_step(
        "compiling the netlist", command, {"bench.cpp": bench, "sim.v": netlist.folder / "sim.v"}, (program,), cache,
        key_of(netlist.folder.name), verilator,
    )  # fmt: skip


@contextlib.contextmanager
def running(program: Done, hz: float, patience: int, fault: int = 0) -> Iterator[str]:
    """The name of a terminal at whose other end the board is, until the block ends.

    hz: its clock, by which baud rates are cycles. patience: cycles without traffic after which it waits for the host.
    """
    command = [str(program.folder / f"obj/V{NAME}"), str(hz), str(patience), str(fault)]
    with subprocess.Popen(
        command, cwd=program.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        try:
            assert process.stdout
            terminal = process.stdout.readline().strip()
            if not terminal:
                raise ToolError(f"the simulation of {program.folder} ended at once (exit status {process.wait()})")
            yield terminal
        finally:
            process.kill()

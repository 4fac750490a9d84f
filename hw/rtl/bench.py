"""Simulations that are compiled once: a Verilator model of a design, driven by a program in C++ (text/bench.cpp.j2)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from crq.errors import ToolError
from crq.files import atomic_path
from crq.hw.compiler import cache_folder, compiler, machine
from crq.hw.forms.built import processors
from crq.hw.forms.render import render
from crq.hw.ir.ports import numbered
from crq.hw.rtl.lines import wrapped

FLAGS = (
    "--cc", "--exe", "-O3", "--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal", "-Wno-lint",
    "-Wno-style", "--top-module", "bench", "-Mdir", "obj", "--output-split", "20000",
)  # fmt: skip
"""Of Verilator. Registers and don't-cares begin with any value, chosen by a seed."""
EFFORT = ("OPT_FAST=-O1", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1")
RUNTIME = ("verilated.o", "verilated_threads.o")
"""Of Verilator, the same for every design: most of the time that a small one takes."""


class Probe(NamedTuple):
    """A stream inside of the design: expressions of its handshake and of its data, `beats` of `bits` per image; of
    the unit `which`, if the bench has several."""

    valid: str
    data: str
    bits: int
    beats: int
    which: int = -1


class Bench(NamedTuple):
    """The module `bench` around a design: SystemVerilog `body` between the ports, and bits of a word of each stream in
    and out."""

    body: str
    in_bits: tuple[int, ...]
    out_bits: tuple[int, ...]
    probes: tuple[Probe, ...] = ()

    def verilog(self) -> str:
        """Its ports: clk, rst, which, in_*, in2_*, …, out_* with out_last, out2_*, …; a probe_valid and a probe for
        each of `probes`."""
        ports = ["input clk", "input rst", "input [15:0] which"]
        for port, bits in enumerate(self.in_bits):
            name = numbered("in", port)
            ports += [f"input {name}_valid", f"output {name}_ready", f"input [{bits - 1}:0] {name}_data"]
        for port, bits in enumerate(self.out_bits):
            name = numbered("out", port)
            ports += [
                f"output {name}_valid", f"input {name}_ready", f"output [{bits - 1}:0] {name}_data",
                f"output {name}_last",
            ]  # fmt: skip
        body = self.body
        for i, probe in enumerate(self.probes):
            ports += [f"output probe_valid{i}", f"output [{probe.bits - 1}:0] probe{i}"]
            body += f"  assign probe_valid{i} = {probe.valid};\n  assign probe{i} = {probe.data};\n"
        listed = ",\n    ".join(ports)
        return wrapped(f"module bench (\n    {listed}\n);\n{body}endmodule\n")

    def program(self) -> str:
        """The C++ that drives it."""
        return render(
            "crq.hw.rtl", "bench.cpp", sources=_streams("in", self.in_bits), sinks=_streams("out", self.out_bits),
            probes=[(bytes_of(probe.bits), probe.beats, probe.which) for probe in self.probes],
        )  # fmt: skip


def bytes_of(bits: int) -> int:
    """Of a word in the files of a simulation."""
    return -(-bits // 8)


def _streams(kind: str, bits: Sequence[int]) -> list[tuple[str, int]]:
    """Name and bytes of each."""
    return [(numbered(kind, port), bytes_of(each)) for port, each in enumerate(bits)]


def key(bench: Bench, sources: Mapping[str, str]) -> str:
    """What a compiled simulation depends on. Memory images are read when it runs."""
    facts = (FLAGS, EFFORT, verilator_version(), machine(compiler()), bench.verilog())
    digest = hashlib.sha256(repr((*facts, bench.program())).encode())
    for name, text in sources.items():
        digest.update(f"{name}\n{text}\n".encode())
    return digest.hexdigest()[:16]


def compile_bench(bench: Bench, sources: Mapping[str, str], program: Path) -> None:
    """Writes the `program` that simulates `sources` (text by file name) in `bench`. Raises `ToolError` from Verilator
    or the compiler."""
    compiler()
    with tempfile.TemporaryDirectory(prefix="crq-verilator-") as name:
        folder = Path(name)
        for file, text in {**sources, "bench.sv": bench.verilog(), "bench.cpp": bench.program()}.items():
            (folder / file).write_text(text)
        verilate([*FLAGS, "bench.cpp", *sources, "bench.sv"], folder)
        _make(folder / "obj")
        with atomic_path(program) as temporary:
            shutil.copy(folder / "obj" / "Vbench", temporary)


def _make(folder: Path) -> None:
    """Compiles and links what Verilator wrote in `folder`; the runtime comes from earlier designs."""
    tools = repr((verilator_version(), machine(compiler()), EFFORT))
    kept = cache_folder("verilator") / hashlib.sha256(tools.encode()).hexdigest()[:16]
    for name in RUNTIME:
        if (kept / name).is_file():
            shutil.copyfile(kept / name, folder / name)
    done = subprocess.run(
        ["make", "-f", "Vbench.mk", "-j", str(processors()), f"CXX={compiler()}", f"LINK={compiler()}", *EFFORT],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ToolError(f"the simulation that Verilator wrote in {folder} does not compile:\n{done.stderr[-3000:]}")
    for name in RUNTIME:
        if not (kept / name).is_file() and (folder / name).is_file():
            with atomic_path(kept / name) as temporary:
                shutil.copyfile(folder / name, temporary)


def verilate(arguments: Sequence[str], folder: Path) -> str:
    """Runs Verilator in `folder`; what it prints. Raises `ToolError` with its message."""
    done = subprocess.run([verilator(), *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"verilator failed in {folder}:\n{(done.stderr or done.stdout)[-3000:]}")
    return done.stdout + done.stderr


def verilator() -> str:
    """The program. Raises `ToolError` with a remedy if there is none."""
    tool = shutil.which("verilator")
    if tool is None:
        raise ToolError("Verilator is needed to simulate RTL: apt-get install verilator")
    return tool


def verilator_version() -> str:
    return subprocess.run([verilator(), "--version"], capture_output=True, text=True, check=False).stdout.strip()

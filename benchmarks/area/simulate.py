"""The Verilog that is synthesised, through Verilator, against NumPy."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.area.case import Case, Matrix
from crq.errors import ToolError
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.generate import write
from crq.hw.rtl.synth import DEFINES
from crq.hw.rtl.verilog import Design, words

PRIMITIVES = files("tests.support") / "primitives" / "primitives.sv"
BENCH = """module area_bench;
  logic [{x_bits}-1:0] xs[0:{n}-1];
  logic [{x_bits}-1:0] x;
  wire [{y_bits}-1:0] y;
  int file;
  {top} dut (.x, .y);
  initial begin
    $readmemh("x.mem", xs);
    file = $fopen("y.txt", "w");
    for (int i = 0; i < {n}; i++) begin
      x = xs[i];
      #1 $fdisplay(file, "%h", y);
    end
    $finish;
  end
endmodule
"""


class Verdict(NamedTuple):
    """Of `vectors`, those with a wrong output; of the outputs, those that were ever wrong."""

    vectors: int
    wrong: int
    outputs: int

    @property
    def exact(self) -> bool:
        return self.wrong == 0

    def __str__(self) -> str:
        if self.exact:
            return f"exact on {self.vectors} vectors"
        return f"WRONG on {self.wrong} of {self.vectors} vectors, {self.outputs} outputs"


def vectors(case: Case, count: int, seed: int = 0) -> Matrix:
    """(count or more, inputs): the ends of the inputs, those that make each output least and greatest, then random
    ones, of which every second vector has ends only."""
    rng, inputs = np.random.default_rng(seed), len(case.matrix)
    greatest = np.where(case.matrix.T > 0, case.hi, case.lo)
    given = [np.full((1, inputs), case.lo), np.full((1, inputs), case.hi), np.zeros((1, inputs), np.int64)]
    given += [greatest, np.where(case.matrix.T > 0, case.lo, case.hi)]
    rest = rng.integers(case.lo, case.hi + 1, (max(200, count - sum(map(len, given))), inputs))
    ends = np.where(rng.random(rest.shape) < 0.5, case.lo, case.hi)
    rest[::2] = ends[::2]
    return np.concatenate([*given, rest])


def compared(found: IntArray, expected: IntArray) -> Verdict:
    differ = found != expected
    return Verdict(len(expected), int(differ.any(1).sum()), int(differ.any(0).sum()))


def on_fabric(design: Design, family: str) -> Design:
    """The design as `synthesize` reads it, and the behaviour of the fabric's primitives."""
    name, _, value = DEFINES[family].partition("=")
    fabric = {"area_fabric.sv": f"`define {name} {value}\n", "area_primitives.sv": PRIMITIVES.read_text()}
    return Design(design.top, {**fabric, **design.sources}, design.memories)


def check(design: Design, case: Case, family: str, count: int = 400) -> Verdict:
    """Simulates a design with the ports of `circuit.framed`, and compares every output of every vector."""
    x = vectors(case, count)
    with tempfile.TemporaryDirectory(prefix="crq-area-") as name:
        folder = Path(name)
        sources = write(on_fabric(design, family), folder)
        (folder / "x.mem").write_text(words(x, case.format.bits))
        sizes = {"x_bits": case.matrix.shape[0] * case.format.bits, "y_bits": case.matrix.shape[1] * case.out.bits}
        (folder / "area_bench.sv").write_text(BENCH.format(n=len(x), top=design.top, **sizes))
        tool = shutil.which("verilator")
        if tool is None:
            raise ToolError("Verilator is needed to simulate RTL: apt-get install verilator")
        flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "area_bench", "-Mdir", "obj"]
        # A lint message that older Verilators do not know.
        flags += ["-Wfuture-WIDTHTRUNC", "-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
        for command in ([tool, *flags, *(s.name for s in sources), "area_bench.sv"], ["obj/Varea_bench"]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolError(f"{command[0]} failed on {design.top}:\n{(done.stdout + done.stderr)[-3000:]}")
        lines = (folder / "y.txt").read_text().split()
    return compared(unpacked(lines, case), x @ case.matrix)


def unpacked(lines: list[str], case: Case) -> IntArray:
    """Hexadecimal words of outputs in `case.out`, the first output lowest, as integers (words, outputs)."""
    bits, outputs = case.out.bits, case.matrix.shape[1]
    mask = (1 << bits) - 1
    found = np.array([[int(line, 16) >> (o * bits) & mask for o in range(outputs)] for line in lines], np.int64)
    return found - (found >> (bits - 1) << bits)

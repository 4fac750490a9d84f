"""A bench of adder graphs: random and extreme inputs through Verilator, and the sums that the matrix gives."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from crq.hw.graphs.stages import Staged
from crq.hw.ir.layers import IntArray
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.verilog import words

PRIMITIVES = Path(str(files("tests.support") / "primitives" / "primitives.sv"))
LIBRARY = [Path(str(files("crq.hw.rtl") / "lib" / f"crq_{name}.sv")) for name in ("sum3", "carry")]


@dataclass(frozen=True)
class Case:
    """A graph in stages, its matrix, and what is sent: (cycles, elements) of `bits` each."""

    graph: Staged
    matrix: IntArray
    x: IntArray
    bits: int
    width: int

    def module(self, name: str) -> str:
        return graph_module(name, self.graph, self.bits, self.width)


def inputs(rng: np.random.Generator, ranges: list[tuple[int, int]], cycles: int) -> IntArray:
    """Random inputs, and among them the ends of every interval."""
    lo, hi = (np.array([r[i] for r in ranges]) for i in (0, 1))
    x = rng.integers(lo, hi + 1, (cycles, len(ranges)))
    ends = rng.integers(0, 2, x.shape)
    extreme = rng.random(cycles) < 0.4
    return np.where(extreme[:, None], np.where(ends == 1, hi, lo), x)


def bench(cases: list[Case], modules: list[str]) -> str:
    text = "module bench;\n  logic clk = 0, en = 1;\n  int cycle = 0, file;\n  always #1 clk = !clk;\n"
    for i, (case, module) in enumerate(zip(cases, modules, strict=True)):
        rows, elements = case.x.shape
        text += f"""  logic [{elements * case.bits - 1}:0] words{i}[0:{rows - 1}];
  wire [{len(case.matrix) * case.width - 1}:0] y{i};
  {module} u{i} (.clk(clk), .en(en), .x(words{i}[cycle % {rows}]), .y(y{i}));
"""
    reads = "".join(f'    $readmemh("{i}.mem", words{i});\n' for i in range(len(cases)))
    shown = "\n".join(f'      $fdisplay(file, "%h", y{i});' for i in range(len(cases)))
    last = max(len(case.x) + case.graph.stages for case in cases)
    # Every third clock nothing moves.
    return f"""{text}  initial begin
{reads}    file = $fopen("out.txt", "w");
  end
  always @(negedge clk) en <= cycle % 3 != 2 || !en;
  always @(posedge clk) if (en) cycle <= cycle + 1;
  always @(negedge clk) if (en) begin
{shown}
    if (cycle == {last}) $finish;
  end
endmodule
"""


def simulate(cases: list[Case], folder: Path, sources: list[Path], modules: list[str], define: str = "") -> None:
    """Runs all cases through Verilator and compares every output of every cycle."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.sv").write_text(bench(cases, modules))
    for i, case in enumerate(cases):
        (folder / f"{i}.mem").write_text(words(case.x, case.bits))
    flags = ["-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    fast = ["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    extra = [f"-D{define}"] if define else []
    command = ["verilator", "--binary", *flags, *fast, *extra, "bench.sv", *map(str, sources)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    subprocess.run(["obj/Vbench"], cwd=folder, check=True, capture_output=True)
    rows = (folder / "out.txt").read_text().split()
    for i, case in enumerate(cases):
        found = [int(word, 16) for word in rows[i :: len(cases)]]
        mask = (1 << case.width) - 1
        values = np.array([[(w >> (o * case.width)) & mask for o in range(len(case.matrix))] for w in found])
        values -= (values >> (case.width - 1)) << case.width
        first = case.graph.stages - 1  # a row is shown behind each clock edge
        shown = values[first : first + len(case.x)]
        np.testing.assert_array_equal(shown, case.x @ case.matrix.T, err_msg=f"case {i}")

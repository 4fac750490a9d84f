"""Verilator simulation of a design: streams images in, reads integers and cycle numbers out."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crq.errors import ToolError
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import pipeline
from crq.hw.dataflow.units import Fold
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format, IntArray
from crq.hw.ir.ports import apart
from crq.hw.rtl.bench import verilate
from crq.hw.rtl.generate import generate, write
from crq.hw.rtl.verilog import Design, words

BENCH = """module bench;
  logic clk = 0, rst = 1;
{declare}
  wire out_valid;
  logic out_ready = 1;
  wire [{out_bits}-1:0] out_data;
  int resets = 0, cycle = -1, outputs = 0, waited = 0, file;
  // Runs of beats and of pauses of each side, by turns: most short, some long, a few longer than an image takes.
  int dice[0:{sides}], left[0:{sides}];
  logic [{sides}:0] go = {stall} ? '0 : '1;
  {top} dut (.*);
  always #1 clk = !clk;
  initial begin
{read}
    for (int i = 0; i <= {sides}; i++) begin
      dice[i] = 32'h9e3779b9 * (i + 1);
      left[i] = 0;
    end
    file = $fopen("out.txt", "w");
  end
  always @(posedge clk) begin
    resets <= resets + 1;
    if (resets == 8) rst <= 0;
    if (!rst) cycle <= cycle + 1;
    for (int i = 0; i <= {sides}; i++) begin
      dice[i] <= dice[i] * 1664525 + 1013904223;
      left[i] <= left[i] - 1;
      if ({stall} && left[i] <= 0) begin
        go[i] <= !go[i];
        if (dice[i][31:28] > 4) left[i] <= 32'(dice[i][22:21]);
        else left[i] <= 32'(dice[i][27:8]) % (dice[i][31:28] > 0 ? 24 : {longest});
      end
    end
{drive}
    out_ready <= go[{sides}];
    waited <= waited + 1;
    if (!rst && out_valid && out_ready) begin
      waited <= 0;
      $fdisplay(file, "%0d %h", cycle, out_data);
      outputs <= outputs + 1;
      if (outputs + 1 == {n_out}) $finish;
    end
    if (waited > {patience}) begin
      $display("no result for %0d cycles", waited);
      $finish;
    end
  end
endmodule
"""


class Run(NamedTuple):
    """Output beats of a simulation: integers (beats, channels) and the cycle each appeared in."""

    values: IntArray
    cycles: IntArray


def beats(images: IntArray, channels: int | None = None) -> IntArray:
    """(N, C, H, W) to (N·H·W·C/channels, channels): pixel by pixel, `channels` per beat, or all."""
    return images.transpose(0, 2, 3, 1).reshape(-1, channels or images.shape[1])


def lint(design: Design, folder: Path) -> None:
    """Raises `ToolError` with Verilator's message if a design has any lint warning."""
    sources = write(design, folder)
    verilate(["--lint-only", "-Wall", "--top-module", design.top, *(s.name for s in sources)], folder)


def run(
    design: Design, folder: Path, inputs: list[tuple[IntArray, Format]], out: Format, channels: int, count: int,
    *, stall: bool = False, longest: int = 300, patience: int = 100_000, optimize: bool = False,
) -> Run:  # fmt: skip
    """Feeds `inputs` (beats, one stream each) and collects `count` output beats; `stall` makes both sides pause, for
    `longest` cycles at most. Raises `ToolError` if no beat comes for `patience` cycles beside the longest pauses."""
    sources = write(design, folder)
    declare, read, drive = "", "", ""
    for i, (values, fmt) in enumerate(inputs):
        n, bits = len(values), values.shape[1] * fmt.bits
        (folder / f"in{i}.mem").write_text(words(values, fmt.bits))
        declare += f"  logic in{i}_valid = 0;\n  wire in{i}_ready;\n  logic [{bits}-1:0] in{i}_data = '0;\n"
        declare += f"  logic [{bits}-1:0] beats{i}[0:{n}-1];\n  int sent{i} = 0;\n"
        read += f'    $readmemh("in{i}.mem", beats{i});\n'
        go = f"go[{i}]"
        drive += f"""    if (!rst && (!in{i}_valid || in{i}_ready)) begin
      in{i}_valid <= sent{i} < {n} && {go};
      if (sent{i} < {n} && {go}) begin
        in{i}_data <= beats{i}[sent{i}];
        sent{i} <= sent{i} + 1;
      end
    end
"""
    bench = BENCH.format(declare=declare, read=read, drive=drive, top=design.top, out_bits=channels * out.bits,
                         stall=int(stall), longest=longest, sides=len(inputs),
                         n_out=count, patience=patience + 8 * longest)  # fmt: skip
    (folder / "bench.sv").write_text(bench)
    names = [s.name for s in sources]
    flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    # Most simulations are short: compiling is what takes time.
    effort = "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1" if optimize else "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    verilate([*flags, "-MAKEFLAGS", effort, "bench.sv", *names], folder)
    done = subprocess.run(["obj/Vbench"], cwd=folder, capture_output=True, text=True, check=False)
    lines = (folder / "out.txt").read_text().split("\n")[:-1]
    if done.returncode or len(lines) != count:
        raise ToolError(f"simulation of {design.top}: {len(lines)} of {count} output beats; {done.stdout[-500:]}")
    cycles = np.array([int(line.split()[0]) for line in lines])
    raw = [int(line.split()[1], 16) for line in lines]
    mask = (1 << out.bits) - 1
    values = np.array([[(word >> (c * out.bits)) & mask for c in range(channels)] for word in raw], np.int64)
    if out.signed:
        values -= (values >> (out.bits - 1)) << out.bits
    return Run(values, cycles)


def run_network(
    network: Network, folds: Mapping[str, Fold], folder: Path, images: IntArray, *, stall: bool = False,
    optimize: bool = False,
) -> Run:  # fmt: skip
    """Simulates a whole network of one output on input codes (N, C, H, W); `optimize` for runs that are longer than
    compiling. With `stall` some pauses are longer than an image takes."""
    [result], width = network.leaving, stream_beats(network, folds)
    channels, pace = width[result.name], pipeline(network, folds)
    parts = zip(network.inputs, apart(network.inputs, images), strict=True)
    entering = [(beats(part, width[tensor.name]), tensor.format) for tensor, part in parts]
    return run(
        generate(network, folds), folder, entering, result.format, channels,
        len(images) * result.shape.size // channels, stall=stall, longest=2 * pace.interval + 50,
        patience=4 * (pace.latency + pace.interval) + 1000, optimize=optimize,
    )  # fmt: skip


def run_parallel(
    network: Network, design: Design, folder: Path, images: IntArray, *, stall: bool = False, optimize: bool = False
) -> Run:  # fmt: skip
    """Simulates an unrolled `design` of a network of one output on input codes (N, C, H, W): an image and a result per
    beat."""
    parts = zip(network.inputs, apart(network.inputs, images), strict=True)
    entering = [(part.transpose(0, 2, 3, 1).reshape(len(images), -1), tensor.format) for tensor, part in parts]
    [output] = network.outputs
    return run(design, folder, entering, output.format, output.shape.size, len(images), stall=stall, optimize=optimize)

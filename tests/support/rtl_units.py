"""Units as RTL, each driven by beats of its own, all in one simulation: compiling is what takes time."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.beats import beat_out, beats_in
from crq.hw.dataflow.schedule import schedule
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.ir.interpret import apply
from crq.hw.ir.layers import Format
from crq.hw.rtl.generate import generate_unit, module_name, write
from crq.hw.rtl.verilator import beats
from crq.hw.rtl.verilog import Design, words

IMAGES = 3
Beats = tuple[NDArray[np.int64], NDArray[np.int64]]

BENCH = """module {name}_bench (input logic clk, input logic rst, input logic hesitant, output logic over);
{declare}  wire out_valid;
  logic out_ready = 1;
  wire [{out_bits}-1:0] out_data;
  int cycle = -1, outputs = 0, file, dice = {dice};
  {top} dut (.*);
  initial begin
    file = $fopen("{name}.txt", "w");
{read}  end
  assign over = outputs == {count};
  always @(posedge clk) if (!over) begin
    if (!rst) cycle <= cycle + 1;
    dice <= dice * 1664525 + 1013904223;
{drive}    if (hesitant) out_ready <= dice[13] || dice[9];
    if (!rst && out_valid && out_ready) begin
      $fdisplay(file, "%0d %h", cycle, out_data);
      outputs <= outputs + 1;
    end
  end
endmodule
"""
TOP = """module bench;
  logic clk = 0, rst = 1, hesitant;
  int cycle = 0;
  wire [{last}:0] over;
{uses}  always #1 clk = !clk;
  initial hesitant = $test$plusargs("hesitant") != 0;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    if (cycle == 8) rst <= 0;
    if (&over || cycle == 60000) $finish;
  end
endmodule
"""
DECLARE = """  logic in{i}_valid = 0;
  wire in{i}_ready;
  logic [{bits}-1:0] in{i}_data = '0, beats{i}[0:{n}-1];
  int sent{i} = 0;
"""
DRIVE = """    if (!rst && (!in{i}_valid || in{i}_ready)) begin
      in{i}_valid <= sent{i} < {n} && (!hesitant || dice[{bit}]);
      if (sent{i} < {n} && (!hesitant || dice[{bit}])) begin
        in{i}_data <= beats{i}[sent{i}];
        sent{i} <= sent{i} + 1;
      end
    end
"""


class Outcome(NamedTuple):
    """Beats of the simulation and of the golden model; cycles of the simulation and of the cycle model."""

    values: NDArray[np.int64]
    hesitant: NDArray[np.int64]
    expected: NDArray[np.int64]
    cycles: NDArray[np.int64]
    model: NDArray[np.int64]


def stimuli(unit: Unit, seed: int = 0) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """(images of each input, those of the result): the least and the greatest values there can be, then random ones."""
    rng, images = np.random.default_rng(seed), []
    for tensor in unit.sources:
        lo, hi = tensor.lo[:, None, None], tensor.hi[:, None, None]
        drawn = rng.integers(lo, hi + 1, (IMAGES, *tensor.shape))
        drawn[0] = np.where(rng.random(tensor.shape) < 0.5, lo, hi)
        images.append(drawn)
    shaped = [
        x if s is t else x.transpose(0, 2, 3, 1).reshape(IMAGES, -1, 1, 1)
        for x, s, t in zip(images, unit.sources, unit.inputs, strict=True)
    ]
    result = apply(unit.layer, *shaped)
    return images, result if unit.threshold is None else apply(unit.threshold, result)


def simulate(cases: dict[str, tuple[Unit, Fold]], folder: Path) -> dict[str, Outcome]:
    """By case, what its unit makes of three images back to back, at full speed and where both sides hesitate."""
    whole, expected = Design("bench"), {}
    for i, (case, (unit, fold)) in enumerate(cases.items()):
        images, expected[case] = stimuli(unit)
        design = generate_unit(unit, fold)
        assert design.sources.keys() & whole.sources.keys() <= {n for n in design.sources if n.startswith("crq_")}
        text = bench(unit, fold, images, whole, i)
        whole.sources |= design.sources | {f"{module_name(unit)}_bench.sv": text}
        whole.memories |= design.memories
    build(whole, [module_name(unit) for unit, _ in cases.values()], folder)
    found: dict[str, list[Beats]] = {case: [] for case in cases}
    for hesitant in (False, True):
        start(folder, hesitant)
        for case, (unit, fold) in cases.items():
            found[case].append(read(module_name(unit), unit.output.format, fold.pe, folder))
    return {case: outcome(*cases[case], expected[case], *found[case]) for case in cases}


def build(whole: Design, names: list[str], folder: Path) -> None:
    """Compiles a design of the modules `names`, each with its bench."""
    uses = "".join(f"  {n}_bench u{i} (.clk, .rst, .hesitant, .over(over[{i}]));\n" for i, n in enumerate(names))
    whole.sources["bench.sv"] = TOP.format(last=len(names) - 1, uses=uses)
    sources = [s.name for s in write(whole, folder)]
    flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    fast = ["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    subprocess.run(["verilator", *flags, *fast, *sources], cwd=folder, capture_output=True, check=True)


def start(folder: Path, hesitant: bool) -> None:
    """Runs all benches at full speed, or where both sides hesitate."""
    options = ["+hesitant"] if hesitant else []
    subprocess.run(["obj/Vbench", *options], cwd=folder, capture_output=True, check=True)


def bench(unit: Unit, fold: Fold, images: list[NDArray[np.int64]], whole: Design, seed: int) -> str:
    """The bench of one unit; its beats go into the memories of `whole`."""
    streams = [
        (beats(x, beat), tensor.format.bits)
        for x, tensor, beat in zip(images, unit.inputs, beats_in(unit, fold), strict=True)
    ]
    count = IMAGES * unit.output.shape.size // fold.pe
    return stream_bench(module_name(unit), streams, fold.pe * unit.output.format.bits, count, whole, seed)


def stream_bench(
    name: str, streams: list[tuple[NDArray[np.int64], int]], out_bits: int, count: int, whole: Design, seed: int
) -> str:  # fmt: skip
    """The bench of the module `name` with `streams` (beats, bits of an element); it waits for `count` beats."""
    declare, read, drive = "", "", ""
    for i, (listed, bits) in enumerate(streams):
        file = f"{name}_in{i}.mem"
        whole.memories[file] = words(listed, bits)
        sizes = {"i": i, "n": len(listed), "bits": listed.shape[1] * bits, "bit": 20 + i}
        declare += DECLARE.format(**sizes)
        drive += DRIVE.format(**sizes)
        read += f'    $readmemh("{file}", beats{i});\n'
    return BENCH.format(
        name=name, top=name, declare=declare, read=read, drive=drive, dice=seed + 1, out_bits=out_bits, count=count,
    )  # fmt: skip


def read(name: str, fmt: Format, channels: int, folder: Path) -> Beats:
    """Values and cycles of the beats that the simulation wrote."""
    lines = [line.split() for line in (folder / f"{name}.txt").read_text().splitlines()]
    mask = (1 << fmt.bits) - 1
    raw = [[int(word, 16) >> (c * fmt.bits) & mask for c in range(channels)] for _, word in lines]
    found = np.array(raw, np.int64).reshape(-1, channels)
    values = found - (found >> (fmt.bits - 1) << fmt.bits) if fmt.signed else found
    return values, np.array([int(cycle) for cycle, _ in lines])


def outcome(unit: Unit, fold: Fold, expected: NDArray[np.int64], plain: Beats, hesitant: Beats) -> Outcome:
    counts = [IMAGES * t.shape.size // n for t, n in zip(unit.sources, beats_in(unit, fold), strict=True)]
    arrivals = [np.arange(n) if unit.is_wires else np.zeros(n, np.int64) for n in counts]
    wanted = beats(expected, beat_out(unit, fold))
    return Outcome(plain[0], hesitant[0], wanted, plain[1], schedule(unit, fold, arrivals).given)

"""Sequential stages in Verilator: every kind finds the number of entries met, in the cycles it is said to take."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hw.dataflow.bits import signed_width
from hw.dataflow.progressions import Rounding, SearchKind, sequential_cycles
from hw.dataflow.thresholds import Table
from hw.errors import HwError
from hw.ir.layers import IntArray
from hw.rtl.generate import write
from hw.rtl.sequential import round_lanes, sequential_stage
from hw.rtl.verilator import lint
from hw.rtl.verilog import Design, library, words

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

STAGE = """module stage (
    input logic clk, input logic rst, input logic load, output logic free, input logic [{sums}-1:0] sums,
    output logic out_valid, input logic out_ready, output logic [{codes}-1:0] out_data
);
{body}endmodule
"""

BENCH = """module bench;
  logic clk = 0, rst = 1, load, out_ready, again = 0;
  wire free, out_valid;
  logic [{sums}-1:0] sums, all[0:{n}-1];
  wire [{codes}-1:0] out_data;
  int cycle = 0, sent = 0, outputs = 0, file, dice = 1;
  stage dut (.*);
  always #1 clk = !clk;
  initial begin
    $readmemh("sums.mem", all);
    file = $fopen("out.txt", "w");
  end
  // Sums that are not loaded are noise.
  assign load = !rst && free && sent < {n} && (!{hesitant} || dice[7]);
  assign sums = load ? all[sent] : {sums}'(dice);
  assign out_ready = !{hesitant} || (dice[13] && dice[4]);
  always @(posedge clk) begin
    cycle <= cycle + 1;
    dice <= dice * 1664525 + 1013904223;
    if (cycle == 3) rst <= 0;
    if (load) sent <= sent + 1;
    if (out_valid && out_ready) begin
      $fdisplay(file, "%0d %h", cycle, out_data);
      outputs <= outputs + 1;
      if (outputs == {n} - 1) $finish;
    end
    if (cycle > 200000) $finish;
  end
endmodule
"""


def ramps(channels: int, bits: int, signed: bool = False, seed: int = 0) -> Table:
    """Progressions of all slopes, some mostly out of reach; channel 0 has one code only, channel 1 all in one step."""
    rng = np.random.default_rng(seed)
    lo, hi = rng.integers(-700, -100, channels), rng.integers(100, 1000, channels)
    count = (1 << bits) - 1
    slope = rng.uniform(0.02, 2.5, channels) * 1000 / (1 << bits)
    slope[:2] = 0
    start = rng.integers(-800, 300, channels)
    start[0], start[1] = hi[0] + 5, 7
    rows = np.ceil(start[:, None] + slope[:, None] * np.arange(1, count + 1)).astype(np.int64)
    return table_of(np.clip(rows, lo[:, None], hi[:, None] + 1), lo, hi, bits, signed)


def scattered(channels: int, bits: int, signed: bool = False, seed: int = 0) -> Table:
    """Entries anywhere, the lowest always met and the highest never in some channels."""
    rng = np.random.default_rng(seed)
    lo, hi = rng.integers(-300, 0, channels), rng.integers(0, 400, channels)
    rows = np.sort(rng.integers(-320, 420, (channels, (1 << bits) - 1)), axis=1)
    return table_of(np.clip(rows, lo[:, None], hi[:, None] + 1), lo, hi, bits, signed)


def table_of(rows: IntArray, lo: IntArray, hi: IntArray, bits: int, signed: bool) -> Table:
    return Table(rows, lo, hi, bits, signed, signed_width(int(lo.min()), int(hi.max()) + 1))


def sums_of(table: Table, pixels: int, seed: int = 1) -> IntArray:
    """(pixels, C) sums in reach: the ends, each side of entries, and others."""
    rng = np.random.default_rng(seed)
    picked = np.take_along_axis(table.rows, rng.integers(0, table.rows.shape[1], (len(table.rows), pixels)), axis=1).T
    near = np.clip(picked - rng.integers(0, 2, picked.shape), table.lo, table.hi)
    near[::4] = rng.integers(table.lo, table.hi + 1, near[::4].shape)
    near[0], near[1] = table.lo, table.hi
    return near


def stage(table: Table, lanes: int, searchers: int, kind: SearchKind) -> Design:
    design = Design("stage", library())
    body = sequential_stage(design, "t", table, lanes, searchers, kind)
    text = STAGE.format(sums=lanes * table.width, codes=lanes * table.bits, body=body)
    design.sources["stage.sv"] = text
    return design


def simulate(design: Design, table: Table, lanes: int, sums: IntArray, folder: Path, hesitant: bool) -> list[IntArray]:
    """Codes (pixels, C) and the cycle of each block."""
    design.memories["sums.mem"] = words(sums.reshape(-1, lanes), table.width)
    n = sums.size // lanes
    design.sources["bench.sv"] = BENCH.format(
        sums=lanes * table.width, codes=lanes * table.bits, n=n, hesitant=int(hesitant)
    )
    names = [s.name for s in write(design, folder)]
    flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    fast = ["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    subprocess.run(["verilator", *flags, *fast, *names], cwd=folder, capture_output=True, check=True)
    subprocess.run(["obj/Vbench"], cwd=folder, capture_output=True, check=True)
    lines = [line.split() for line in (folder / "out.txt").read_text().splitlines()]
    assert len(lines) == n
    raw = [int(code, 16) for _, code in lines]
    codes = np.array([[(word >> (i * table.bits)) & ((1 << table.bits) - 1) for i in range(lanes)] for word in raw])
    if table.signed:
        codes -= (codes >> (table.bits - 1)) << table.bits
    return [codes.reshape(sums.shape), np.array([int(cycle) for cycle, _ in lines])]


def expected(table: Table, sums: IntArray) -> IntArray:
    base = 1 << (table.bits - 1) if table.signed else 0
    return (sums[:, :, None] >= table.rows).sum(2) - base


CASES: list[tuple[SearchKind, int, bool, int, int, int]] = [
    ("lut", 4, False, 12, 4, 1),
    ("lut", 4, True, 8, 8, 2),
    ("lut", 2, False, 12, 4, 4),
    ("lut", 1, True, 6, 6, 4),
    ("bram", 8, True, 12, 4, 1),
    ("bram", 8, False, 8, 8, 4),
    ("bram", 2, False, 6, 2, 2),
    ("bram", 1, False, 3, 3, 1),
    ("ramp", 4, False, 12, 4, 1),
    ("ramp", 8, True, 12, 4, 2),
    ("ramp", 8, False, 20, 4, 4),
    ("ramp", 2, True, 10, 5, 2),
    ("ramp", 1, False, 4, 4, 2),
    ("ramp", 5, True, 6, 1, 1),
    ("ramp", 4, False, 9, 9, 4),
]
"""Kind, bits, sign, channels, lanes and searchers: one block and several, lanes that searchers do not divide."""


@needs_verilator
@pytest.mark.parametrize(("kind", "bits", "signed", "channels", "lanes", "searchers"), CASES)
def test_codes_are_the_number_of_entries_met_whoever_waits(
    kind: SearchKind, bits: int, signed: bool, channels: int, lanes: int, searchers: int, tmp_path: Path
) -> None:
    table = (ramps if kind == "ramp" else scattered)(channels, bits, signed, seed=channels)
    sums = sums_of(table, 40)
    design = stage(table, lanes, searchers, kind)
    lint(design, tmp_path / "lint")
    codes, _ = simulate(design, table, lanes, sums, tmp_path / "hesitant", hesitant=True)
    np.testing.assert_array_equal(codes, expected(table, sums))


@needs_verilator
@pytest.mark.parametrize(("kind", "bits", "lanes", "searchers"), [
    ("lut", 4, 4, 1), ("bram", 8, 4, 2), ("ramp", 8, 4, 1), ("ramp", 2, 5, 2), ("ramp", 1, 4, 4), ("lut", 1, 4, 1),
])  # fmt: skip
def test_a_block_takes_the_cycles_of_its_lanes(
    kind: SearchKind, bits: int, lanes: int, searchers: int, tmp_path: Path
) -> None:
    table = ramps(4 * lanes, bits)
    sums = sums_of(table, 8)
    codes, cycles = simulate(stage(table, lanes, searchers, kind), table, lanes, sums, tmp_path, hesitant=False)
    np.testing.assert_array_equal(codes, expected(table, sums))
    assert set(np.diff(cycles)) == {-(-lanes // searchers) * sequential_cycles(bits)}


def test_a_table_that_is_no_progression_is_refused_as_one() -> None:
    with pytest.raises(HwError, match="t: these thresholds are no arithmetic progression"):
        sequential_stage(Design("d"), "t", scattered(4, 4), 2, 1, "ramp")


def test_memories_have_a_word_for_each_channel_of_a_searcher_in_turn() -> None:
    """Two blocks of three lanes, two searchers: the first has lanes 0 and 1, the second lane 2 and a spare."""
    rows = np.array([[10 * c + k for k in (1, 2, 3)] for c in range(6)])
    table = Table(rows, np.zeros(6, np.int64), np.full(6, 90), 2, False, 8)
    design = Design("d")
    sequential_stage(design, "t", table, 3, 2, "lut")
    found = {name: [int(line, 16) for line in text.split()] for name, text in design.memories.items()}
    heaps = [[0, 10 * c + 2, 10 * c + 1, 10 * c + 3] for c in range(6)]
    assert found == {
        "t_s0.mem": heaps[0] + heaps[1] + heaps[3] + heaps[4],
        "t_s1.mem": heaps[2] + heaps[2] + heaps[5] + heaps[5],
    }


ROUND_BENCH = """module bench;
  logic signed [{w}-1:0] x = '0;
  wire [{bits}-1:0] code;
{body}  int file;
  initial begin
    file = $fopen("out.txt", "w");
    for (int i = {lo}; i <= {hi}; i++) begin
      x = {w}'(i);
      #1 $fdisplay(file, "%0d", {sign}(code));
    end
    $finish;
  end
endmodule
"""


@needs_verilator
@pytest.mark.parametrize(("bits", "signed", "shift", "offset"), [
    (4, False, 4, 0), (4, True, 3, -5), (8, True, 1, 0), (2, False, 0, 3), (1, False, 2, 0), (8, False, 0, 0),
    (3, True, 6, 40),
])  # fmt: skip
def test_every_sum_is_rounded_half_to_even(
    bits: int, signed: bool, shift: int, offset: int, tmp_path: Path
) -> None:
    width, lo, hi = 9, -256, 255
    ends = np.array([lo]), np.array([hi])
    table = Table(np.zeros((1, (1 << bits) - 1), np.int64), *ends, bits, signed, width)
    body = round_lanes(table, Rounding(shift, offset), 1, "x", "code")
    design = Design("bench", library())
    design.sources["bench.sv"] = ROUND_BENCH.format(
        w=width, bits=bits, body=body, lo=lo, hi=hi, sign="$signed" if signed else ""
    )
    linted = Design("lanes", library())
    linted.sources["lanes.sv"] = (
        f"module lanes (input logic [{width - 1}:0] x, output logic [{bits - 1}:0] code);\n{body}endmodule\n"
    )
    lint(linted, tmp_path / "lint")
    names = [s.name for s in write(design, tmp_path)]
    flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    subprocess.run(["verilator", *flags, *names], cwd=tmp_path, capture_output=True, check=True)
    subprocess.run(["obj/Vbench"], cwd=tmp_path, capture_output=True, check=True)
    base = 1 << (bits - 1) if signed else 0
    x = np.arange(lo, hi + 1)
    codes = np.clip(np.rint((x + offset) / 2.0**shift), -base, (1 << bits) - 1 - base)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "out.txt"), codes)

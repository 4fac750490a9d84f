"""Sequential stages in Verilator: every kind finds the number of entries met, in the cycles it is said to take."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from crq.hw.dataflow.bits import signed_width
from crq.hw.dataflow.progressions import Rounding, SearchKind, sequential_cycles
from crq.hw.dataflow.thresholds import Ramp, Table
from crq.hw.errors import HwError
from crq.hw.ir.layers import IntArray
from crq.hw.ir.progression import Progression
from crq.hw.rtl.generate import write
from crq.hw.rtl.sequential import ramp_words, round_lanes, sequential_stage
from crq.hw.rtl.verilator import lint
from crq.hw.rtl.verilog import Design, library, words

needs_verilator = pytest.mark.skipif(shutil.which("verilator") is None, reason="Verilator is not installed")

STAGE = """module {name} (
    input logic clk, input logic rst, input logic load, output logic free, input logic [{sums}-1:0] sums,
    output logic out_valid, input logic out_ready, output logic [{codes}-1:0] out_data
);
{body}endmodule
"""

BENCH = """module {name}_bench (output logic over);
  logic clk = 0, rst = 1, load, out_ready;
  wire free, out_valid;
  logic [{sums}-1:0] sums, all[0:{n}-1];
  wire [{codes}-1:0] out_data;
  int cycle = 0, sent = 0, outputs = 0, file, dice = 1;
  {name} dut (.*);
  always #1 clk = !clk;
  initial begin
    $readmemh("{name}_sums.mem", all);
    file = $fopen("{name}.txt", "w");
  end
  assign over = outputs == {n};
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
    end
  end
endmodule
"""


def test_a_word_of_a_progression_may_have_more_than_64_bits() -> None:
    along = Progression(np.array([-(1 << 40) - 1, 3]), np.array([(1 << 28) + 1, 5]), 21, 15)
    found = Ramp(along, np.zeros(2, np.int64), np.ones(2, np.int64), 4, False, 12)
    assert (found.b_bits, found.d_bits) == (42, 29)
    lines = ramp_words(found, np.array([1, 0])).splitlines()
    assert [int(line, 16) >> 42 for line in lines] == [5, (1 << 28) + 1]
    assert int(lines[1], 16) & ((1 << 42) - 1) == 1 << 40
    assert int(lines[0], 16) & ((1 << 42) - 1) == (1 << 42) - 4


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


class Case(NamedTuple):
    kind: SearchKind
    bits: int
    signed: bool
    channels: int
    lanes: int
    searchers: int
    hesitant: bool = True
    quick: int = 0

    @property
    def table(self) -> Table:
        return (ramps if self.kind == "ramp" else scattered)(self.channels, self.bits, self.signed, seed=self.channels)

    def design(self, name: str) -> Design:
        table, design = self.table, Design(name, library())
        body = sequential_stage(design, name, table, self.lanes, self.searchers, self.kind, quick=self.quick)
        sizes = {"sums": self.lanes * table.width, "codes": self.lanes * self.bits}
        design.sources[f"{name}.sv"] = STAGE.format(name=name, body=body, **sizes)
        return design


def compiled(design: Design, folder: Path) -> None:
    """Builds and runs the module `bench`."""
    names = [s.name for s in write(design, folder)]
    flags = ["--binary", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    fast = ["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    subprocess.run(["verilator", *flags, *fast, *names], cwd=folder, capture_output=True, check=True)
    subprocess.run(["obj/Vbench"], cwd=folder, capture_output=True, check=True)


def expected(table: Table, sums: IntArray) -> IntArray:
    base = 1 << (table.bits - 1) if table.signed else 0
    return (sums[:, :, None] >= table.rows).sum(2) - base


CASES = [
    Case("lut", 4, False, 12, 4, 1),
    Case("lut", 4, True, 8, 8, 2),
    Case("lut", 2, False, 12, 4, 4),
    Case("lut", 1, True, 6, 6, 4),
    Case("bram", 8, True, 12, 4, 1),
    Case("bram", 8, False, 8, 8, 4),
    Case("bram", 2, False, 6, 2, 2),
    Case("bram", 1, False, 3, 3, 1),
    Case("ramp", 4, False, 12, 4, 1),
    Case("ramp", 8, True, 12, 4, 2),
    Case("ramp", 8, False, 20, 4, 4),
    Case("ramp", 2, True, 10, 5, 2),
    Case("ramp", 1, False, 4, 4, 2),
    Case("ramp", 5, True, 6, 1, 1),
    Case("ramp", 4, False, 9, 9, 4),
]
CASES += [case._replace(quick=1) for case in CASES if case.kind != "bram"]
"""One block of channels and several, lanes that searchers do not divide, one lane; each also without hesitation."""

RUNS = CASES + [case._replace(hesitant=False) for case in CASES]


class Outcome(NamedTuple):
    sums: IntArray  # (pixels, C)
    codes: IntArray
    cycles: IntArray  # of each block


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Outcome]:
    """All runs in one simulation: compiling is what takes time."""
    folder, whole = tmp_path_factory.mktemp("stages"), Design("bench", library())
    sums, ends = {}, []
    for i, run in enumerate(RUNS):
        name, table = f"stage{i}", run.table
        design = run.design(name)
        sums[run] = sums_of(table, 40)
        whole.memories |= design.memories | {f"{name}_sums.mem": words(sums[run].reshape(-1, run.lanes), table.width)}
        sizes = {"sums": run.lanes * table.width, "codes": run.lanes * run.bits, "n": sums[run].size // run.lanes}
        whole.sources |= design.sources
        whole.sources[f"{name}_bench.sv"] = BENCH.format(name=name, hesitant=int(run.hesitant), **sizes)
        ends.append(f"  {name}_bench u_{name} (.over(over[{i}]));\n")
    whole.sources["bench.sv"] = (
        f"module bench;\n  wire [{len(RUNS) - 1}:0] over;\n{''.join(ends)}"
        "  always @(over) if (&over) $finish;\n  initial #400000 $finish;\nendmodule\n"
    )
    compiled(whole, folder)
    found = {}
    for i, run in enumerate(RUNS):
        lines = [line.split() for line in (folder / f"stage{i}.txt").read_text().splitlines()]
        raw, mask = [int(code, 16) for _, code in lines], (1 << run.bits) - 1
        listed = [(word >> (lane * run.bits)) & mask for word in raw for lane in range(run.lanes)]
        codes = np.array(listed).reshape(-1, run.channels)
        if run.signed:
            codes -= (codes >> (run.bits - 1)) << run.bits
        found[run] = Outcome(sums[run], codes, np.array([int(cycle) for cycle, _ in lines]))
    return found


@needs_verilator
@pytest.mark.parametrize("case", CASES, ids=str)
def test_codes_are_the_number_of_entries_met_whoever_waits(case: Case, outcomes: dict[Case, Outcome]) -> None:
    for run in (case, case._replace(hesitant=False)):
        np.testing.assert_array_equal(outcomes[run].codes, expected(run.table, outcomes[run].sums))


@needs_verilator
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_block_takes_the_cycles_of_its_lanes(case: Case, outcomes: dict[Case, Outcome]) -> None:
    cycles = outcomes[case._replace(hesitant=False)].cycles
    assert set(np.diff(cycles)) == {-(-case.lanes // case.searchers) * sequential_cycles(case.bits)}


@needs_verilator
@pytest.mark.parametrize("case", CASES, ids=str)
def test_stages_are_free_of_warnings(case: Case, tmp_path: Path) -> None:
    lint(case.design("stage"), tmp_path)


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


ROUNDINGS = [
    (4, False, 4, 0), (4, True, 3, -5), (8, True, 1, 0), (2, False, 0, 3), (1, False, 2, 0), (8, False, 0, 0),
    (3, True, 6, 40),
]  # fmt: skip
"""Bits, sign, shift and offset of codes of 9-bit sums."""


def lanes_of(bits: int, signed: bool, shift: int, offset: int) -> str:
    """The module `lanes`, two sums to two codes."""
    ends = np.array([-256]), np.array([255])
    table = Table(np.zeros((1, (1 << bits) - 1), np.int64), *ends, bits, signed, 9)
    body = round_lanes(table, Rounding(shift, offset), 2, "x", "code")
    return f"module lanes (input logic [17:0] x, output logic [{2 * bits - 1}:0] code);\n{body}endmodule\n"


@needs_verilator
def test_every_sum_is_rounded_half_to_even(tmp_path: Path) -> None:
    whole, uses, prints = Design("bench", library()), "", ""
    for i, (bits, signed, shift, offset) in enumerate(ROUNDINGS):
        text = lanes_of(bits, signed, shift, offset).replace("module lanes ", f"module lanes{i} ")
        whole.sources[f"lanes{i}.sv"] = text
        lint(Design(f"lanes{i}", library() | {f"lanes{i}.sv": text}), tmp_path / f"lint{i}")
        uses += f"  wire [{2 * bits - 1}:0] c{i};\n  lanes{i} u{i} (.x({{~x, x}}), .code(c{i}));\n"
        sign = "$signed" if signed else "$unsigned"
        prints += (
            f'      $fdisplay(file, "%0d %0d", {sign}(c{i}[{bits - 1}:0]), {sign}(c{i}[{2 * bits - 1}:{bits}]));\n'
        )
    whole.sources["bench.sv"] = f"""module bench;
  logic [8:0] x = '0;
{uses}  int file;
  initial begin
    file = $fopen("out.txt", "w");
    for (int i = -256; i < 256; i++) begin
      x = 9'(i);
      #1;
{prints}    end
    $finish;
  end
endmodule
"""
    compiled(whole, tmp_path)
    found = np.loadtxt(tmp_path / "out.txt").reshape(512, len(ROUNDINGS), 2)
    x = np.stack([np.arange(-256, 256), np.arange(255, -257, -1)], axis=1)
    for i, (bits, signed, shift, offset) in enumerate(ROUNDINGS):
        base = 1 << (bits - 1) if signed else 0
        codes = np.clip(np.rint((x + offset) / 2.0**shift), -base, (1 << bits) - 1 - base)
        np.testing.assert_array_equal(found[:, i], codes)

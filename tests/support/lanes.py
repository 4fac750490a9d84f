"""One bench of many crq_pe: random or given operands through Verilator, and the sums that integers give."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from crq.hw.dataflow.bits import clog2
from crq.hw.dataflow.schedule import lane_registers
from crq.hw.ir.digits import signed_digits
from crq.hw.ir.layers import IntArray

PRIMITIVES = files("tests.support") / "primitives" / "primitives.sv"


@dataclass(frozen=True)
class Lane:
    """Parameters of crq_pe, and what is sent: operands and weights (cycles, simd), `first` per cycle."""

    simd: int
    digits: int
    bits: int
    signed: bool
    single: bool
    zero: bool
    x: IntArray
    weights: IntArray
    first: IntArray
    start: int
    acc: int = 0

    @property
    def nonzero(self) -> IntArray:
        """Signed digits, (cycles, simd, digits)."""
        found = signed_digits(self.weights.astype(np.int8)).astype(np.int64)
        return np.pad(found, ((0, 0), (0, 0), (0, self.digits - found.shape[-1])))

    def expected(self) -> IntArray:
        """The accumulator after each cycle: integers, less what each negative product and each sign is off by."""
        product = self.bits + (self.digits > 1)
        at = 1 << np.arange(self.digits)
        highest = [((1 << product) - 1) << (k - k % 2) for k in range(self.digits)]
        lowest = 1 << (self.bits - 1) if self.signed else 0
        assert np.array_equal((self.nonzero * at).sum(-1), self.weights)
        terms = ((self.x + lowest) * self.weights).sum(1) + ((self.nonzero < 0) * highest).sum((1, 2))
        sums, total = [], 0
        for term, first in zip(terms.tolist(), self.first.tolist(), strict=True):
            total = term + (self.start if first or self.single else total)
            sums.append(total % (1 << self.acc))
        return np.array(sums)

    def words(self) -> str:
        """A word per cycle, lowest first: operands, flags of non-zeros, of signs, first."""
        lines, mask = [], (1 << self.bits) - 1
        for x, digits, first in zip(self.x.tolist(), self.nonzero, self.first.tolist(), strict=True):
            bits = [(v & mask, self.bits) for v in x]
            bits += [(int(d != 0), 1) for d in digits.ravel()] + [(int(d < 0), 1) for d in digits.ravel()]
            word, at = 0, 0
            for value, width in [*bits, (first, 1)]:
                word, at = word | value << at, at + width
            lines.append(f"{word:x}")
        return "\n".join(lines) + "\n"


def random_lane(rng: np.random.Generator, cycles: int, **fixed: int) -> Lane:
    """Any parameters but the `fixed` ones."""
    simd, bits = fixed.get("simd", int(rng.integers(1, 37))), fixed.get("bits", int(rng.integers(1, 9)))
    digits = fixed.get("digits", int(rng.choice([1, 1, 2, 3])))
    signed, single, zero = (bool(fixed.get(n, rng.integers(2))) for n in ("signed", "single", "zero"))
    low = -(1 << (bits - 1)) if signed else 0
    x = rng.integers(low, low + (1 << bits), (cycles, simd))
    x[rng.random(cycles) < 0.1] = low
    x[rng.random(cycles) < 0.1] = low + (1 << bits) - 1
    codes = np.arange(-(1 << digits) + 1, 1 << digits)
    codes = codes[[signed_digits(np.array([c], np.int8)).shape[-1] <= digits for c in codes]]
    weights = rng.choice(codes, (cycles, simd))
    weights[rng.random(cycles) < 0.1] = codes[0]
    lane = Lane(simd, digits, bits, signed, single, zero, x, weights, (rng.random(cycles) < 0.3).astype(np.int64), 0)
    acc = fixed.get("acc", clog2(simd << (bits + digits)) + int(rng.integers(-3, 5)))
    acc = max(1, acc)
    return replace(lane, acc=acc, start=0 if zero else int(rng.integers(1 << min(acc, 60))))


def exhaustive_lane(bits: int, signed: bool) -> Lane:
    """Two products: every pair of operands under every pair of ternary weights."""
    low = -(1 << (bits - 1)) if signed else 0
    codes, weights = np.arange(low, low + (1 << bits)), np.arange(-1, 2)
    a, b, s, t = (g.ravel() for g in np.meshgrid(codes, codes, weights, weights))
    x, w = np.stack([a, b], 1), np.stack([s, t], 1)
    return Lane(2, 1, bits, signed, True, True, x, w, np.ones(len(x), np.int64), 0, bits + 1)


def _bench(lanes: list[Lane], module: str) -> str:
    text = "module bench;\n  logic clk = 0, en = 1;\n  int cycle = 0, file;\n  always #1 clk = !clk;\n"
    for i, lane in enumerate(lanes):
        n, lanes_ = lane.simd * lane.bits, lane.simd * lane.digits
        width, depth = n + 2 * lanes_ + 1, lane_registers(lane.simd, lane.digits)
        sizes = f"#(.SIMD({lane.simd}), .DIGITS({lane.digits}), .BITS({lane.bits}), .SIGNED({int(lane.signed)}), "
        sizes += f".ACC({lane.acc}), .SINGLE({int(lane.single)}), .ZERO({int(lane.zero)})) "
        text += f"""  logic [{width - 1}:0] words{i}[0:{len(lane.x) - 1}];
  wire [{width - 1}:0] word{i} = words{i}[cycle % {len(lane.x)}];
  logic [{depth}:0] first{i} = '0;
  wire [{depth}:0] moved{i} = {depth + 1}'({{first{i}, word{i}[{width - 1}]}});
  always @(posedge clk) if (en) first{i} <= moved{i};
  wire [{lane.acc - 1}:0] acc{i};
  {module} {sizes if module == "crq_pe" else ""}pe{i} (.clk(clk), .en(en), .x(word{i}[{n - 1}:0]),
    .nz(word{i}[{n}+:{lanes_}]), .neg(word{i}[{n + lanes_}+:{lanes_}]), .first(moved{i}[{depth}]),
    .start({lane.acc}'h{lane.start:x}), .acc(acc{i}));
"""
    reads = "".join(f'    $readmemh("{i}.mem", words{i});\n' for i in range(len(lanes)))
    shown = "\n".join(f'      $fdisplay(file, "%h", acc{i});' for i in range(len(lanes)))
    last = max(len(lane.x) + lane_registers(lane.simd, lane.digits) for lane in lanes)
    # Every third clock nothing moves.
    return f"""{text}  initial begin
{reads}    file = $fopen("out.txt", "w");
  end
  always @(negedge clk) en <= cycle % 3 != 2 || !en;
  always @(posedge clk) if (en) cycle <= cycle + 1;
  always @(negedge clk) if (en && cycle > 0) begin
{shown}
    if (cycle == {last}) $finish;
  end
endmodule
"""


def simulate(lanes: list[Lane], folder: Path, sources: list[Path], *, define: str = "", module: str = "crq_pe") -> None:
    """Runs all lanes through Verilator and compares every accumulator of every cycle."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.sv").write_text(_bench(lanes, module))
    for i, lane in enumerate(lanes):
        (folder / f"{i}.mem").write_text(lane.words())
    flags = ["-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "bench", "-Mdir", "obj"]
    fast = ["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]
    extra = [f"-D{define}"] if define else []
    command = ["verilator", "--binary", *flags, *fast, *extra, "bench.sv", *map(str, sources)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    subprocess.run(["obj/Vbench"], cwd=folder, check=True, capture_output=True)
    found = [int(word, 16) for word in (folder / "out.txt").read_text().split()]
    rows = np.array(found, object).reshape(-1, len(lanes))
    for i, lane in enumerate(lanes):
        first = lane_registers(lane.simd, lane.digits)
        # Accumulation begins with the first window that is whole.
        begun = 0 if lane.single else int(np.argmax(lane.first))
        assert lane.single or lane.first.any()
        now = rows[first : first + len(lane.x), i].astype(np.int64)
        np.testing.assert_array_equal(now[begun:], lane.expected()[begun:], err_msg=f"{i}: {lane}")

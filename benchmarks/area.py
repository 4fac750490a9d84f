"""LUTs of one matrix-vector product y = W x in several forms, on the same weights, by Yosys for UltraScale+:

    python benchmarks/area.py                         # 36x16 and 144x16, minutes
    python benchmarks/area.py --size 288x32 --bits 4  # larger or narrower
    python benchmarks/area.py --size 36x16 --eight-bit

unrolled        our unit with its weights built in: the sums alone, then the whole unit (window, control, beat)
folded          our unit with weights in ROMs and a few lanes: the whole unit, and its cycles per product
adder trees     a balanced tree of additions and subtractions per output, zeros left out
da4ml           the adder graph of da4ml's solver, which shares partial sums
--eight-bit     the same shape with 8-bit weights: constant multipliers in LUTs, and da4ml's graph of them

Every form gives the full sum. The trees and da4ml's graphs are combinational, ours are registered after every second
level, so FFs are no comparison. The wires between adders are kept: Yosys merges unkept ones into larger circuits.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from crq.errors import ToolError
from crq.files import write_text
from hw.dataflow.schedule import cycles
from hw.dataflow.units import Fold, units
from hw.ir.graph import Network
from hw.rtl.generate import generate_unit
from hw.rtl.measure import default_cache
from hw.rtl.synth import Synthesis, synthesize, tool
from hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder

Matrix = NDArray[np.int64]  # (inputs, outputs)


class Row(NamedTuple):
    form: str
    luts: float
    ffs: float
    cycles: int  # per product
    solve_s: float | None
    synthesis_s: float


def dense(matrix: Matrix, bits: int) -> Network:
    """Our dense layer with these weights, on one pixel of signed codes."""
    g = GraphBuilder((matrix.shape[0], 1, 1), f"INT{bits}")
    return Network(g.finish(g.matmul(g.flatten("x"), matrix.shape[1], weights=matrix)))


def ours(matrix: Matrix, bits: int, family: str, cache: Path) -> Iterator[Row]:
    network = dense(matrix, bits)
    unit = units(network)[0]
    inputs, outputs = matrix.shape
    folds = [(outputs, inputs), (outputs, inputs // 4), (outputs // 4, inputs // 4), (1, inputs // 4)]
    for pe, simd in folds:
        fold = Fold(pe, simd)
        found = synthesize(generate_unit(unit, fold), family, cache=cache)
        steps = cycles(unit, fold).interval
        if simd == inputs:
            lanes = {m: n for m, n in found.below[found.top].items() if "crq_pe_fixed" in m}
            luts, ffs = (sum(getattr(found.total(m), k) * n for m, n in lanes.items()) for k in ("lut", "ff"))
            yield Row("unrolled, sums alone", luts, ffs, 1, None, found.seconds)
        form = "unrolled" if simd == inputs else "folded"
        total = found.total()
        yield Row(f"{form}, whole unit, PE {pe} × SIMD {simd}", total.lut, total.ff, steps, None, found.seconds)


def adder_trees(matrix: Matrix, bits: int) -> Design:
    """A module per output. They share nothing, so apart they cost the same and synthesise faster."""
    inputs, outputs = matrix.shape
    trees, ports, body = "", [f"input [{inputs * bits - 1}:0] x"], ""
    for o in range(outputs):
        text, width = adder_tree(f"tree{o}", matrix[:, o], bits)
        trees += text
        ports.append(f"output [{width - 1}:0] y{o}")
        body += f"tree{o} u{o} (x, y{o});\n"
    return Design("trees", {"trees.v": f"{trees}module trees ({', '.join(ports)});\n{body}endmodule\n"})


def adder_tree(name: str, weights: NDArray[np.int64], bits: int) -> tuple[str, int]:
    """(module, bits of its output): a balanced tree. Two negative terms are added, and their sign is passed on."""
    terms, body = [], ""  # terms: (wire, negative, width)
    for i in np.flatnonzero(weights):
        wire, digits = f"p{i}", abs(int(weights[i])).bit_length()
        width, factor = (bits, "") if digits == 1 else (bits + digits, f" * {digits + 1}'sd{abs(weights[i])}")
        body += f"wire signed [{width - 1}:0] {wire} = $signed(x[{i * bits}+:{bits}]){factor};\n"
        terms.append((wire, weights[i] < 0, width))
    level = 0
    while len(terms) > 1:
        paired = []
        for k in range(0, len(terms) - 1, 2):
            (a, a_minus, wa), (b, b_minus, wb) = terms[k], terms[k + 1]
            wire, width = f"s{level}_{k}", max(wa, wb) + 1
            if a_minus and not b_minus:
                a, b = b, a
            sign = "+" if a_minus == b_minus else "-"
            body += f"(* keep *) wire signed [{width - 1}:0] {wire} = {a} {sign} {b};\n"
            paired.append((wire, a_minus and b_minus, width))
        terms, level = paired + terms[2 * len(paired) :], level + 1
    wire, minus, width = terms[0] if terms else ("1'b0", False, 1)
    width += int(minus)
    ports = f"input [{len(weights) * bits - 1}:0] x, output signed [{width - 1}:0] y"
    return (
        f"(* keep_hierarchy *)\nmodule {name} ({ports});\n{body}assign y = {'-' if minus else ''}{wire};\nendmodule\n"
    ), width


def adder_graph(matrix: Matrix, bits: int) -> tuple[Design, float]:
    """da4ml's solution as Verilog, and the seconds it took. Raises `ToolError` if da4ml is missing."""
    try:
        import da4ml
        from da4ml.cmvm import solve
        from da4ml.cmvm.types import QInterval
        from da4ml.codegen.rtl.verilog import comb_logic_gen
    except ImportError:
        raise ToolError("this comparison needs da4ml: pip install -e '.[synth,benchmarks]'") from None

    low = float(1 << (bits - 1))
    interval = QInterval(-low, low - 1, 1.0)
    solve(np.eye(2, dtype=np.float32), qintervals=[interval] * 2)  # compiles the solver: minutes, the first time
    started = time.monotonic()
    found = solve(matrix.astype(np.float32), qintervals=[interval] * len(matrix))
    seconds = time.monotonic() - started
    assert np.array_equal(found.kernel, matrix)
    source = Path(da4ml.__file__).parent / "codegen" / "rtl" / "verilog" / "source"
    sources = {f"{name}.v": (source / f"{name}.v").read_text() for name in ("shift_adder", "negative")}
    body, previous = "", "x"
    for k, stage in enumerate(found.solutions):
        text = re.sub(r"(?m)^(\s*)wire ", r"\1(* keep *) wire ", comb_logic_gen(stage, f"stage{k}"))
        sources[f"stage{k}.v"] = text
        width = re.search(r"output \[(\d+):0\]", text)
        assert width
        body += f"wire [{width[1]}:0] w{k};\nstage{k} u{k} ({previous}, w{k});\n"
        previous, out = f"w{k}", width[1]
    sources["graph.v"] = (
        f"module graph (input [{len(matrix) * bits - 1}:0] x, output [{out}:0] y);\n{body}assign y = {previous};\n"
        "endmodule\n"
    )
    return Design("graph", sources), seconds


def peers(matrix: Matrix, bits: int, family: str, cache: Path, prefix: str = "") -> Iterator[Row]:
    def row(form: str, found: Synthesis, solve_s: float | None) -> Row:
        total = found.total()
        return Row(prefix + form, total.lut, total.ff, 1, solve_s, found.seconds)

    trees = "multipliers and adder trees" if prefix else "adder trees"
    yield row(trees, synthesize(adder_trees(matrix, bits), family, cache=cache), None)
    design, seconds = adder_graph(matrix, bits)
    yield row("da4ml adder graph", synthesize(design, family, cache=cache), seconds)


@click.command()
@click.option("--size", "sizes", multiple=True, default=("36x16", "144x16"), show_default=True, metavar="INxOUT")
@click.option("--bits", default=8, show_default=True, help="Bits of a signed input.")
@click.option("--zeros", default=0.5, show_default=True, help="Share of zero weights.")
@click.option("--eight-bit", is_flag=True, help="Also 8-bit weights: many minutes of Yosys, even for 36x16.")
@click.option("--family", default="xcup", show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache, help="Folder of earlier syntheses.")
@click.option("--output", type=click.Path(path_type=Path), help="Also write the rows as JSON.")
def main(
    sizes: tuple[str, ...], bits: int, zeros: float, eight_bit: bool, family: str, seed: int, cache: Path,
    output: Path | None,
) -> None:  # fmt: skip
    """Prints LUTs, the ratio to our unrolled sums, and times."""
    facts = []
    for size in sizes:
        inputs, outputs = (int(n) for n in size.split("x"))
        rng = np.random.default_rng(seed)
        matrix = rng.choice([-1, 0, 1], (inputs, outputs), p=[(1 - zeros) / 2, zeros, (1 - zeros) / 2])
        click.echo(f"\n{size}, {bits}-bit inputs, {np.mean(matrix == 0):.0%} zeros, seed {seed}; {tool()}, {family}")
        click.echo(f"{'form':48} {'LUT':>7} {'ratio':>6} {'FF':>7} {'cycles':>6} {'solve s':>8} {'Yosys s':>8}")
        forms = [ours(matrix, bits, family, cache), peers(matrix, bits, family, cache)]
        if eight_bit:
            forms.append(peers(rng.integers(-127, 128, matrix.shape), bits, family, cache, "8-bit weights, "))
        unrolled = 0.0
        for row in chain(*forms):
            unrolled = unrolled or row.luts
            solve_s = "" if row.solve_s is None else f"{row.solve_s:.1f}"
            click.echo(f"{row.form:48} {row.luts:7.0f} {row.luts / unrolled:6.2f} {row.ffs:7.0f} {row.cycles:6} "
                       f"{solve_s:>8} {row.synthesis_s:8.1f}")  # fmt: skip
            facts.append({"size": size, "bits": bits, "family": family, "tool": tool(), **row._asdict()})
    if output is not None:
        write_text(output, json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()

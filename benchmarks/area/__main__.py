"""LUTs of one matrix-vector product y = W x in several forms, on the same weights, by Yosys:

    python -m benchmarks.area                                   # 36x16 and 144x16, 8 bits; many minutes
    python -m benchmarks.area --size 288x32 --bits 4            # larger or narrower
    python -m benchmarks.area --size 36x16 --eight-bit          # the same shape with 8-bit weights
    python -m benchmarks.area --network digits.onnx --layer fc  # the matrices of a QONNX file
    python -m benchmarks.area --form da4ml --form our           # forms whose names begin so

da4ml                    da4ml's adder graph as its documentation says, traced and written as Verilog
da4ml, untraced          the stages that its solver returns, by the same generator: faulty, see peers/widened.py
alkaid                   da4ml's successor, without and with adders of three operands, and with ours for these
our graph                our adder graph, of adders of two operands and of three
adder trees              a balanced tree of additions and subtractions per output, zeros left out
our unit                 unrolled as such a graph, with registers; folded, with weights in ROMs and a few lanes

Every form gives the full sums, and the Verilog that is synthesised is simulated: in Verilator, with the behaviour of
the fabric's primitives, all outputs of some 400 vectors against NumPy. A form that is wrong is given no ratio. Graphs
and trees are combinational and stand behind the same ports without a register; the wires between their adders are kept.
Units are whole, with their registers and streams.

Peers are installed into environments of their own. Seconds of a solver are CPU, of the setting that was best by its own
cost, after one small matrix to warm up; da4ml compiles itself meanwhile. Each row is added to area.csv.
"""

from __future__ import annotations

import csv
import os
import platform
import re
import subprocess
from pathlib import Path

import click

from benchmarks.area.case import Case, eight_bit, layer_cases, random_case
from benchmarks.area.measure import BASE, Row, Settings, rows
from benchmarks.area.peers.environment import default_folder
from benchmarks.history import append
from crq.hw.rtl.measure import default_cache
from crq.hw.rtl.synth import FAMILIES, tool

TABLE = Path(__file__).parents[1] / "area.csv"
HEADER = (
    "date", "commit", "machine", "tools", "family", "matrix", "input_bits", "signed", "zeros", "form", "note", "exact",
    "vectors", "wrong_vectors", "lut", "ratio", "ff", "cycles", "adders", "depth", "solve_cpu_s", "solve_wall_s",
    "yosys_s",
)  # fmt: skip


def machine() -> str:
    """Processor and number of cores."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return f"{os.cpu_count()} × {found[1] if found else platform.machine()}"


def tools() -> str:
    said = subprocess.run(["verilator", "--version"], capture_output=True, text=True, check=False).stdout
    return f"{tool()}, {' '.join(said.split()[:2])}"


def cases(
    sizes: tuple[str, ...], bits: int, zeros: float, seed: int, wide: bool, networks: tuple[Path, ...],
    layers: tuple[str, ...],
) -> list[Case]:  # fmt: skip
    if networks:
        every = [case for file in networks for case in layer_cases(file)]
        return [case for case in every if not layers or any(f" {name} " in case.name for name in layers)]
    plain = [random_case(size, bits, zeros, seed) for size in sizes]
    return [eight_bit(case, seed) for case in plain] if wide else plain


def stored_base(case: Case, family: str) -> int | None:
    """LUTs of the base as measured last, with the same tools."""
    found = None
    if TABLE.exists():
        with TABLE.open(newline="") as file:
            for row in csv.DictReader(file):
                same = (row["matrix"], row["input_bits"], row["family"], row["tools"], row["form"], row["exact"])
                if same == (case.name, str(case.format.bits), family, tools(), BASE, "1"):
                    found = int(row["lut"])
    return found


def show(row: Row, ratio: float | None) -> None:
    def number(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    click.echo(
        f"{row.form:36} {row.luts:7} {number(ratio, '.2f'):>6} {row.ffs:6} {row.cycles:6} "
        f"{number(row.adders, 'd'):>7} {number(row.depth, 'd'):>6} {number(row.cpu_s, '.2f'):>8} {row.yosys_s:8.1f}  "
        f"{row.verdict}{'; ' if row.note else ''}{row.note}"
    )


@click.command()
@click.option("--size", "sizes", multiple=True, default=("36x16", "144x16"), show_default=True, metavar="INxOUT")
@click.option("--bits", default=8, show_default=True, help="Bits of a signed input.")
@click.option("--zeros", default=0.5, show_default=True, help="Share of zero weights.")
@click.option("--seed", default=0, show_default=True)
@click.option("--eight-bit", "wide", is_flag=True, help="8-bit weights instead: minutes of Yosys, even for 36x16.")
@click.option("--network", "networks", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="A QONNX file: its layers instead of random matrices.")  # fmt: skip
@click.option("--layer", "layers", multiple=True, help="Only these layers of the networks.")
@click.option("--form", "forms", multiple=True, help="Only forms whose names begin so.")
@click.option("--family", type=click.Choice(FAMILIES), default="xcup", show_default=True)
@click.option("--search", "searches", multiple=True, type=float, metavar="SECONDS",
              help="Of CPU for our solver, beside its default.")  # fmt: skip
@click.option("--vectors", default=400, show_default=True, help="Of each simulation.")
@click.option("--seconds", default=1800.0, show_default=True, help="That a peer may take for one matrix.")
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache, help="Folder of earlier syntheses.")
@click.option("--peers", type=click.Path(path_type=Path), default=default_folder, help="Folder of the peers.")
def main(
    sizes: tuple[str, ...], bits: int, zeros: float, seed: int, wide: bool, networks: tuple[Path, ...],
    layers: tuple[str, ...], forms: tuple[str, ...], family: str, searches: tuple[float, ...], vectors: int,
    seconds: float, cache: Path, peers: Path,
) -> None:  # fmt: skip
    """Prints a table per matrix and adds its rows to area.csv."""
    settings = Settings(family, cache, peers, seconds, searches, vectors, forms)
    for case in cases(sizes, bits, zeros, seed, wide, networks, layers):
        click.echo(f"\n{case}; {tools()}, {family}")
        click.echo(f"{'form':36} {'LUT':>7} {'ratio':>6} {'FF':>6} {'cycles':>6} {'adders':>7} {'depth':>6} "
                   f"{'solve s':>8} {'Yosys s':>8}")  # fmt: skip
        base = stored_base(case, family)
        for row in rows(case, settings):
            if row.form == BASE and row.verdict.exact:
                base = row.luts
            ratio = row.luts / base if base and row.verdict.exact else None
            show(row, ratio)
            append(TABLE, HEADER, machine(), tools(), family, case.name, case.format.bits, int(case.format.signed),
                   round(float((case.matrix == 0).mean()), 3), row.form, row.note, int(row.verdict.exact),
                   row.verdict.vectors, row.verdict.wrong, row.luts, ratio and round(ratio, 3), row.ffs, row.cycles,
                   row.adders, row.depth, row.cpu_s and round(row.cpu_s, 3), row.wall_s and round(row.wall_s, 3),
                   row.yosys_s)  # fmt: skip


if __name__ == "__main__":
    main()

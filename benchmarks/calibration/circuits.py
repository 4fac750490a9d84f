"""Synthesises the library's circuits one by one over a sweep of parameters: python benchmarks/calibration/circuits.py

Writes circuits.csv beside this file: family, circuit, parameters, LUTs as logic, LUTs as memory, FFs, BRAM18.
One Yosys run per circuit and family; every point is a kept module of one top. The points are in sweeps.py.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import click
import numpy as np
from sweeps import OUTPUTS, SWEEPS, Parameters, Points, ports
from unrolled import graph_text

from crq.hw.dataflow.thresholds import Table
from crq.hw.rtl.sequential import sequential_stage
from crq.hw.rtl.synth import FAMILIES, synthesize, tool
from crq.hw.rtl.verilog import Design, instance, library, words

HERE = Path(__file__).parent


def table(channels: int, bits: int, width: int, straight: bool, seed: int) -> Table:
    """Thresholds of `channels` over sums of `width` bits: progressions if `straight`, else anywhere."""
    rng = np.random.default_rng(seed)
    top, count = (1 << (width - 1)) - 2, (1 << bits) - 1
    lo, hi = np.full(channels, -top), np.full(channels, top)
    if straight:
        step = rng.uniform(0.4, 1.2, channels) * 2 * top / (count + 1)
        rows = np.ceil(rng.uniform(-0.7, 0, channels)[:, None] * top + step[:, None] * np.arange(1, count + 1))
    else:
        rows = np.sort(rng.integers(-top, top, (channels, count)), axis=1)
    return Table(np.clip(rows.astype(np.int64), -top, top + 1), lo, hi, bits, False, width)


def body(result: Design, circuit: str, p: Parameters, i: int) -> str:
    """The circuit of point `i`, between wires named like its ports."""
    wires = {port: port for port in ports(circuit, p)}
    if circuit == "graph":
        result.sources[f"graph{i}.sv"] = graph_text(f"graph{i}", p, i, result.family)
        return instance(f"graph{i}", "dut", {}, wires)
    if circuit == "codes":
        lanes, blocks = int(str(p["LANES"])), int(str(p["BLOCKS"]))
        found = table(lanes * blocks, int(str(p["BITS"])), int(str(p["WIDTH"])), p["KIND"] == "ramp", i)
        return sequential_stage(result, f"p{i}", found, lanes, int(str(p["SEARCHERS"])), p["KIND"])  # type: ignore[arg-type]
    values = dict(p)
    if circuit in ("crq_rom", "crq_block_rom", "crq_search"):
        depth = {"crq_rom": "DEPTH", "crq_block_rom": "BLOCKS", "crq_search": "BLOCKS"}[circuit]
        entries = int(str(p[depth])) << int(str(p.get("STEP", 0)))
        file = f"rom{i}.mem"
        result.memories[file] = words(np.random.default_rng(i).integers(0, 2, (entries, int(str(p["WIDTH"])))), 1)
        values["FILE"] = f'"{file}"'
    return instance(circuit, "dut", values, wires)


def design(circuit: str, points: Points, family: str) -> Design:
    """A top with one instance per point, each in a kept wrapper module named after its index."""
    result = Design("sweep", library(), family=family)
    outside, tops, wrappers = [], "", ""
    for i, p in enumerate(points):
        widths = ports(circuit, p)
        directions = {port: "output" if port in OUTPUTS and not _read(circuit, port) else "input" for port in widths}
        declared = [f"{directions[port]} [{w - 1}:0] {port}" for port, w in widths.items()]
        outside += [f"{directions[port]} [{w - 1}:0] p{i}_{port}" for port, w in widths.items()]
        wrappers += f"(* keep_hierarchy *)\nmodule point{i} (\n    {', '.join(declared)}\n);\n"
        wrappers += body(result, circuit, p, i) + "endmodule\n"
        tops += instance(f"point{i}", f"point{i}", {}, {port: f"p{i}_{port}" for port in widths})
    # The wrappers keep the hierarchy, so the circuits inside need not.
    result.sources = {k: v.replace("(* keep_hierarchy *)", "") for k, v in result.sources.items()}
    result.sources["sweep.sv"] = wrappers + f"module sweep (\n    {', '.join(outside)}\n);\n{tops}endmodule\n"
    return result


def _read(circuit: str, port: str) -> bool:
    """Whether a name that is an output elsewhere is an input here."""
    return (circuit, port) in {
        ("crq_pe", "first"), ("crq_window", "last"), ("crq_search", "block"), ("crq_rom", "address"), ("crq_add", "y"),
    }  # fmt: skip


@click.command()
@click.option("--family", type=click.Choice(FAMILIES), multiple=True, default=FAMILIES)
@click.option("--circuit", "chosen", type=click.Choice(list(SWEEPS)), multiple=True, default=list(SWEEPS))
def main(family: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Sweeps the circuits and writes circuits.csv; rows of circuits and families that are not swept now stay."""
    for name, circuit in ((name, circuit) for name in family for circuit in chosen):
        points = SWEEPS[circuit]()
        found = synthesize(design(circuit, points, name), name)
        rows: list[list] = []
        if (HERE / "circuits.csv").exists():
            with open(HERE / "circuits.csv", newline="") as file:
                rows = [row for row in csv.reader(file) if row[0] in FAMILIES and tuple(row[:2]) != (name, circuit)]
        for i, p in enumerate(points):
            r = found.total(f"point{i}")
            rows.append([name, circuit, json.dumps(p), r.logic, r.lutram, r.ff, r.bram18])
        click.echo(f"{name} {circuit}: {len(points)} points in {found.seconds} s, {tool()}")
        store(rows)


def store(rows: list[list]) -> None:
    """Writes circuits.csv."""
    temporary = HERE / f".circuits.{os.getpid()}"
    with open(temporary, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["family", "circuit", "parameters", "logic", "lutram", "ff", "bram18"])
        writer.writerows(rows)
    os.replace(temporary, HERE / "circuits.csv")


if __name__ == "__main__":
    main()

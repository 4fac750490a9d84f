"""Synthesises the library's circuits one by one over a sweep of parameters: python benchmarks/calibration/circuits.py

Writes circuits.csv beside this file: family, circuit, parameters, LUTs as logic, LUTs as memory, FFs, BRAM18.
One Yosys run per family; every circuit is a kept module of one top.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import click
import numpy as np

from hw.rtl.synth import FAMILIES, synthesize, tool
from hw.rtl.verilog import Design, instance, library, literal, words

HERE = Path(__file__).parent


def sweep() -> list[tuple[str, dict[str, object]]]:
    """(circuit, parameters) of every point."""
    rng = np.random.default_rng(1)
    points: list[tuple[str, dict[str, object]]] = []
    inputs = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 18, 20, 24, 27, 32, 36, 48, 64, 72, 96, 144)
    points += [("crq_select", {"WIDTH": 4, "N": n}) for n in inputs]
    for simd in (1, 2, 3, 4, 6, 8, 9, 12, 16, 24):
        for bits in (1, 2, 4, 8) if simd < 9 else (2, 4):
            acc = bits + 6 + int(simd).bit_length() // 2
            points.append(("crq_pe", {"SIMD": simd, "BITS": bits, "ACC": acc, "SINGLE": 0}))
    points += [("crq_pe", {"SIMD": s, "BITS": 4, "ACC": 10, "SINGLE": 1}) for s in (4, 9)]
    points += [("crq_pe", {"SIMD": s, "BITS": 4, "SIGNED": 1, "ACC": 10, "SINGLE": 0}) for s in (4, 9)]
    for simd, digits, bits in (
        (1, 2, 4), (1, 4, 8), (1, 8, 4), (1, 8, 8), (2, 4, 4), (2, 8, 4), (2, 8, 8), (3, 8, 8), (4, 3, 4), (4, 8, 4),
        (1, 3, 4), (1, 4, 4), (1, 5, 4), (1, 6, 4), (1, 7, 4), (2, 5, 4), (2, 7, 4),
    ):  # fmt: skip
        acc = bits + digits + 5
        points.append(("crq_pe", {"SIMD": simd, "DIGITS": digits, "BITS": bits, "ACC": acc, "SINGLE": 0}))
    points += [("crq_max", {"N": n, "BITS": bits}) for n in (2, 4, 9) for bits in (1, 2, 3, 4, 5, 6, 8)]
    for pe, blocks, pixels, bits in ((1, 8, 16, 4), (2, 8, 36, 4), (4, 8, 36, 4), (4, 1, 64, 4), (8, 2, 49, 8)):
        out = bits + (pixels - 1).bit_length()
        points.append(("crq_global_sum", {"PE": pe, "BLOCKS": blocks, "PIXELS": pixels, "BITS": bits, "OUT": out}))
    for n in (1, 2, 3, 5, 8, 11, 16, 20):
        for bits in (2, 5):
            neg = rng.integers(0, 2, n)
            points.append(("crq_pe_fixed", {"N": n, "BITS": bits, "NEG": literal(neg), "ACC": bits + 7, "WAIT": 0}))
    for width in (6, 8, 10, 12, 14):
        points += [("crq_compare", {"WIDTH": width, "BITS": bits}) for bits in (1, 2, 3, 4)]
    for width in (7, 9, 11, 13):
        for bits in (1, 2, 3, 4, 4):
            k = (1 << bits) - 1
            values = np.sort(rng.integers(-(1 << (width - 1)) + 1, (1 << (width - 1)) - 1, k))
            table = ((values[:, None] >> np.arange(width)) & 1).ravel()
            points.append(("crq_compare", {"WIDTH": width, "BITS": bits, "FIXED": 1, "FIXED_T": literal(table)}))
    points += windows()
    for width, depth in (
        (8, 2), (28, 2), (64, 2), (64, 5), (16, 16), (32, 33), (64, 64), (24, 120), (128, 256),
        (8, 100), (16, 130), (32, 200), (8, 256), (8, 500), (4, 1000),
    ):  # fmt: skip
        points.append(("crq_fifo", {"WIDTH": width, "DEPTH": depth, "BLOCK": int(width * depth >= 8192)}))
    points += [("crq_rom", {"WIDTH": 8, "DEPTH": d, "BLOCK": 0})
               for d in (2, 4, 9, 16, 32, 50, 64, 100, 128, 200, 256, 400)]  # fmt: skip
    points += [
        ("crq_rom", {"WIDTH": w, "DEPTH": d, "BLOCK": 1}) for w, d in ((36, 300), (128, 72), (16, 1500), (9, 2000))
    ]
    points += [("crq_add", {"LANES": 4, "XB": a, "YB": b, "OUT": max(a, b) + 1, "XS": 1, "YS": 1})
               for a, b in ((4, 4), (8, 8), (12, 6))]  # fmt: skip
    points += [("crq_add", {"LANES": 4, "XB": 8, "YB": 1, "OUT": 9, "XS": 1, "YS": 0, "NEGATE": 1})]
    return points


def windows() -> list[tuple[str, dict[str, object]]]:
    """The points of crq_window: images with line buffers, and rows without."""
    points: list[tuple[str, dict[str, object]]] = []
    for channels, bits, size, span, stride, pad in (
        (1, 8, 28, 3, 1, 1), (4, 4, 8, 3, 1, 1), (16, 2, 32, 3, 1, 1), (8, 4, 14, 5, 1, 0), (8, 4, 12, 2, 2, 0),
        (3, 8, 32, 3, 2, 1), (32, 4, 8, 3, 1, 0), (16, 4, 10, 1, 1, 0), (64, 4, 8, 3, 1, 1), (2, 2, 64, 3, 1, 0),
        (10, 3, 7, 3, 2, 0),
    ):  # fmt: skip
        pads = dict.fromkeys(("PAD_TOP", "PAD_LEFT", "PAD_BOTTOM", "PAD_RIGHT"), pad)
        bram = (span - 1) * (size + 2 * pad) * channels * bits >= 8192
        points.append(("crq_window", {"CHANNELS": channels, "BITS": bits, "HEIGHT": size, "WIDTH": size,
                                      "SPAN_H": span, "SPAN_W": span, "STRIDE_H": stride, "STRIDE_W": stride,
                                      **pads, "BLOCK": int(bram)}))  # fmt: skip
    for width, pixels in ((64, 1), (32, 16), (128, 64)):
        points.append(("crq_window", {"CHANNELS": width // 4, "BITS": 4, "HEIGHT": 1, "WIDTH": pixels, "SPAN_H": 1,
                                      "SPAN_W": pixels}))  # fmt: skip
    return points


PORTS = {
    "crq_select": ("clk", "en", "d", "sel", "q"),
    "crq_pe": ("clk", "en", "x", "nz", "neg", "first", "start", "acc"),
    "crq_pe_fixed": ("clk", "en", "x", "acc"),
    "crq_compare": ("x", "t", "code"),
    "crq_window": ("clk", "rst", "en", "in_valid", "in_ready", "in_data", "active", "last", "window"),
    "crq_fifo": ("clk", "rst", "in_valid", "in_ready", "in_data", "out_valid", "out_ready", "out_data"),
    "crq_rom": ("clk", "en", "address", "q"),
    "crq_add": ("x", "y", "q"),
    "crq_max": ("d", "q"),
    "crq_global_sum": ("clk", "rst", "en", "step", "last", "x", "out_valid", "out_data"),
}
OUTPUTS = ("q", "acc", "code", "in_ready", "active", "window", "out_valid", "out_data")
SWEPT = ("xcup", "xc7")  # the families that share these formulas


def bits(circuit: str, p: dict[str, object], port: str) -> int:
    """Width of a port."""
    n = {k: int(v) for k, v in p.items() if isinstance(v, int)}
    wide = {
        "crq_select": lambda: {"d": n["N"] * n["WIDTH"], "sel": max(1, (n["N"] - 1).bit_length()), "q": n["WIDTH"]},
        "crq_pe": lambda: {"x": n["SIMD"] * n["BITS"], "nz": n["SIMD"] * n.get("DIGITS", 1),
                           "neg": n["SIMD"] * n.get("DIGITS", 1), "start": n["ACC"], "acc": n["ACC"]},
        "crq_pe_fixed": lambda: {"x": n["N"] * n["BITS"], "acc": n["ACC"]},
        "crq_compare": lambda: {"x": n["WIDTH"], "t": n["WIDTH"] * ((1 << n["BITS"]) - 1), "code": n["BITS"]},
        "crq_window": lambda: {"in_data": n["CHANNELS"] * n["BITS"],
                               "window": n["CHANNELS"] * n["BITS"] * n["SPAN_H"] * n["SPAN_W"]},
        "crq_fifo": lambda: {"in_data": n["WIDTH"], "out_data": n["WIDTH"]},
        "crq_rom": lambda: {"address": max(1, (n["DEPTH"] - 1).bit_length()), "q": n["WIDTH"]},
        "crq_max": lambda: {"d": n["N"] * n["BITS"], "q": n["BITS"]},
        "crq_global_sum": lambda: {"x": n["PE"] * n["BITS"], "out_data": n["PE"] * n["BLOCKS"] * n["OUT"]},
        "crq_add": lambda: {"x": n["LANES"] * n["XB"], "y": n["LANES"] * n["YB"], "q": n["LANES"] * n["OUT"]},
    }[circuit]()  # fmt: skip
    return wide.get(port, 1)


def design(points: list[tuple[str, dict[str, object]]]) -> Design:
    """A top with one instance per point, each in a kept wrapper module named after its index."""
    rng = np.random.default_rng(2)
    result = Design("sweep", library())
    ports, body, wrappers = [], "", ""
    for i, (circuit, parameters) in enumerate(points):
        inner, declared = {}, []
        for port in PORTS[circuit]:
            direction = "output" if port in OUTPUTS else "input"
            declared.append(f"{direction} [{bits(circuit, parameters, port) - 1}:0] {port}")
            ports.append(f"{direction} [{bits(circuit, parameters, port) - 1}:0] p{i}_{port}")
            inner[port] = port
        values = dict(parameters)
        if circuit == "crq_rom":
            file = f"rom{i}.mem"
            result.memories[file] = words(rng.integers(0, 2, (values["DEPTH"], values["WIDTH"])), 1)
            values["FILE"] = f'"{file}"'
        wrappers += f"(* keep_hierarchy *)\nmodule point{i} (\n    {', '.join(declared)}\n);\n"
        wrappers += instance(circuit, "dut", values, inner) + "endmodule\n"
        body += instance(f"point{i}", f"point{i}", {}, {p: f"p{i}_{p}" for p in PORTS[circuit]})
    # The wrappers keep the hierarchy, so the circuits inside need not.
    result.sources = {k: v.replace("(* keep_hierarchy *)", "") for k, v in result.sources.items()}
    result.sources["sweep.sv"] = wrappers + f"module sweep (\n    {', '.join(ports)}\n);\n{body}endmodule\n"
    return result


@click.command()
@click.option("--family", type=click.Choice(SWEPT), multiple=True, default=SWEPT)
@click.option("--circuit", "chosen", type=click.Choice(list(PORTS)), multiple=True, default=list(PORTS))
def main(family: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Sweeps the circuits and writes circuits.csv; rows of circuits and families that are not swept now stay."""
    rows: list[list] = []
    if (HERE / "circuits.csv").exists():
        with open(HERE / "circuits.csv", newline="") as file:
            rows = [row for row in csv.reader(file) if row[0] in FAMILIES]
    for name, kind in ((name, kind) for name in family for kind in chosen):
        points = [point for point in sweep() if point[0] == kind]
        found = synthesize(design(points), name)
        rows = [row for row in rows if tuple(row[:2]) != (name, kind)]
        for i, (circuit, parameters) in enumerate(points):
            r = found.total(f"point{i}")
            rows.append([name, circuit, json.dumps(parameters), r.logic, r.lutram, r.ff, r.bram18])
        click.echo(f"{name} {kind}: {len(points)} points in {found.seconds} s, {tool()}")
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

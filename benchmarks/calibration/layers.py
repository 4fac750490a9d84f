"""Synthesises whole layers for the fit's check and for the blind test: python benchmarks/calibration/layers.py SET

Writes layers_SET.csv: family, layer, measured LUTs as logic and memory, FFs, BRAM18, DSP. `fit` layers were seen while
the formulas were made; `blind` layers only after they were frozen. `fit2` and `blind2` are the same for what those have
not: integer weights, sums, concat, padded and narrow pools, block RAM, and the FIFOs in front of a layer. Layers that
the file already has are kept: delete it after a change of hw/rtl. Estimates are computed when `check.py` compares.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hw.dataflow.units import Fold, Unit, units
from hw.fold.search import check
from hw.ir.graph import Network
from hw.rtl.generate import generate_unit
from hw.rtl.synth import FAMILIES, synthesize, tool
from tests.support.random_graphs import GraphBuilder

HERE = Path(__file__).parent
SEEDS = {"fit": 100, "blind": 900, "fit2": 300, "blind2": 700}
Layer = tuple[str, Network, Unit, Fold, dict[tuple[str, int], int] | None]


def layers(which: str) -> Iterator[Layer]:
    """(name, network, unit, folding, FIFO depths) of every layer of a set; depths None: without FIFOs."""
    yield from with_fifos(which) if which.endswith("2") else without_fifos(which)


def without_fifos(which: str) -> Iterator[Layer]:
    """Mostly sums of ternary products."""
    seed = SEEDS[which]
    blind = which == "blind"
    same = (1, 1, 1, 1)

    def conv(n, c, o, size, bits, out, fold, kernel=(3, 3), dtype="UINT", **options):
        g = GraphBuilder((c, size, size), f"{dtype}{bits}", seed + n)
        x = g.conv("x", o, kernel, **options)
        return g.finish(g.threshold(x, *out) if out else x), Fold(*fold)

    def dense(n, inputs, o, bits, out, fold, shape=None):
        g = GraphBuilder(shape or (inputs, 1, 1), f"UINT{bits}", seed + n)
        x = g.matmul(g.flatten("x"), o)
        return g.finish(g.threshold(x, out) if out else x), Fold(*fold)

    def other(n, shape, bits, build, fold):
        g = GraphBuilder(shape, f"UINT{bits}", seed + n)
        return g.finish(build(g)), Fold(*fold)

    def codes(g):
        channels, top = g.shapes["x"][1], 1 << int(g.types["x"][4:])
        return g.threshold("x", 4, table=np.sort(g.rng.integers(1, top, (channels, 15)), axis=1))

    fit = [
        conv(0, 1, 8, 8, 8, (4,), (2, 3), pads=same), conv(1, 8, 16, 8, 4, (4,), (4, 8), pads=same),
        conv(2, 16, 16, 8, 4, (4,), (1, 16), pads=same), conv(3, 4, 8, 10, 2, (2,), (8, 12)),
        conv(4, 6, 12, 9, 4, (3,), (3, 9), strides=(2, 2)), conv(5, 8, 8, 8, 4, (4,), (2, 3), group=8, pads=same),
        conv(6, 16, 24, 8, 4, None, (6, 4), (1, 1)), conv(7, 8, 8, 6, 4, (8, True), (2, 12)),
        dense(8, 64, 10, 4, None, (2, 8)), dense(9, 16, 16, 4, 4, (4, 16), (4, 2, 2)),
        dense(10, 96, 10, 2, None, (5, 4)),
        conv(11, 3, 8, 8, 8, (4,), (8, 27), pads=same), conv(12, 8, 8, 6, 2, (2,), (8, 72)),
        other(13, (8, 8, 8), 4, lambda g: g.max_pool("x"), (2,)), other(14, (16, 6, 6), 8, codes, (4,)),
        other(15, (8, 6, 6), 4, lambda g: g.add("x", "x"), (4,)),
        other(16, (16, 6, 6), 4, lambda g: g.global_sum("x"), (4,)),
        other(17, (10, 1, 1), 8, lambda g: g.bias("x"), (1,)), conv(18, 16, 32, 12, 4, (4,), (8, 18), pads=same),
    ]  # fmt: skip
    unseen = [
        conv(0, 3, 16, 12, 8, (4,), (4, 9), pads=same), conv(1, 12, 12, 10, 4, (4,), (3, 12), pads=same),
        conv(2, 8, 24, 7, 3, (3,), (6, 18)), conv(3, 16, 8, 8, 2, (2,), (2, 48), pads=same),
        conv(4, 4, 16, 9, 4, (4,), (16, 8), (2, 2)),
        conv(5, 12, 12, 8, 4, (4,), (4, 9), group=12, pads=same),
        conv(6, 32, 16, 6, 4, (4,), (4, 16), (1, 1)), conv(7, 6, 6, 7, 4, (6, True), (3, 6)),
        conv(8, 10, 10, 8, 4, (4,), (5, 10), (5, 5), pads=(2, 2, 2, 2)),
        conv(9, 8, 16, 10, 4, (4,), (8, 24), strides=(2, 2)),
        conv(10, 8, 8, 9, 4, (4,), (1, 2), pads=same), conv(11, 5, 10, 8, 5, (3, True), (2, 15), pads=same),
        dense(12, 128, 10, 4, None, (10, 8)), dense(13, 36, 12, 4, 4, (3, 12), (4, 3, 3)),
        dense(14, 80, 20, 2, 2, (4, 20)),
        conv(15, 4, 12, 8, 2, (2,), (12, 36)), conv(16, 2, 16, 8, 4, (3,), (16, 18), pads=same),
        conv(17, 24, 24, 6, 4, (4,), (6, 12), pads=same), conv(18, 16, 16, 16, 4, (4,), (16, 16), pads=same),
        conv(19, 6, 9, 8, 4, (4,), (3, 6), dtype="INT"),
        other(20, (12, 9, 9), 4, lambda g: g.max_pool("x", (3, 3)), (3,)),
        other(21, (24, 5, 5), 9, codes, (6,)), conv(22, 32, 10, 4, 4, None, (2, 32), (1, 1)),
    ]  # fmt: skip
    for n, (model, fold) in enumerate(unseen if blind else fit):
        network = Network(model)
        unit = units(network)[0]
        check(network, {unit.name: fold})
        yield f"{which}{n}", network, unit, fold, None


def built(which: str, rows: Sequence[tuple[Any, ...]]) -> Iterator[Layer]:
    """The layers of the set `which`, each with the seed of its place in it."""
    for n, (shape, dtype, build, fold, depths) in enumerate(rows):
        g = GraphBuilder(shape, dtype, SEEDS[which] + n)
        network = Network(g.finish(build(g)))
        unit = units(network)[0]
        check(network, {unit.name: Fold(*fold)})
        yield f"{which}_{n}", network, unit, Fold(*fold), {(unit.name, i): d for i, d in enumerate(depths)}


def with_fifos(which: str) -> Iterator[Layer]:
    """Everything else: (shape, type, what is built on it, folding, depths of its FIFOs)."""
    same = (1, 1, 1, 1)

    def conv(o, kernel=(3, 3), weight_type="INT8", bits=4, **options):
        def build(g):
            x = g.conv("x", o, kernel, weight_type=weight_type, **options)
            return g.threshold(x, bits) if bits else x

        return build

    def dense(o, weight_type="INT8", bits=None):
        def build(g):
            x = g.matmul(g.flatten("x"), o, weight_type)
            return g.threshold(x, bits) if bits else x

        return build

    def pool(kernel, strides=None, pads=None):
        return lambda g: g.max_pool("x", kernel, strides, pads)

    fit = [
        ((3, 8, 8), "UINT8", conv(8, pads=same), (2, 3), (2,)), ((3, 8, 8), "UINT8", conv(8, pads=same), (1, 9), (2,)),
        ((64, 1, 1), "UINT4", dense(10), (1, 4), (2,)), ((64, 1, 1), "UINT4", dense(10), (10, 2), (5,)),
        ((1, 8, 8), "UINT8", conv(4, weight_type="INT4", pads=same), (4, 9), (2,)),
        ((32, 8, 8), "UINT2", pool((3, 3), (2, 2), same), (8,), (2,)),
        ((16, 8, 8), "UINT8", pool((3, 3), (2, 2)), (2,), (2,)),
        ((32, 6, 6), "UINT4", lambda g: g.global_sum("x"), (4,), (2,)),
        ((32, 6, 6), "UINT4", lambda g: g.add("x", "x"), (8,), (2, 2)),
        ((8, 6, 6), "UINT4", lambda g: g.add("x", "x"), (8,), (2, 200)),
        ((32, 1, 1), "UINT8", lambda g: g.bias("x"), (1,), (2,)),
        ((16, 6, 6), "UINT8", lambda g: g.negate("x"), (2,), (2,)),
        ((12, 6, 6), "UINT4", lambda g: g.concat("x", "x"), (24,), (2, 30)),
        ((16, 6, 6), "UINT8", lambda g: g.add("x", "x"), (16,), (2, 300)),
    ]  # fmt: skip
    unseen = [
        ((3, 10, 10), "UINT8", conv(12, pads=same), (3, 3), (2,)),
        ((2, 12, 12), "UINT8", conv(6, (5, 5), "INT8", 4, strides=(2, 2)), (1, 10), (4,)),
        ((8, 7, 7), "UINT4", conv(8, (3, 3), "INT8", 3), (4, 8), (2,)),
        ((6, 9, 9), "INT8", conv(12, (1, 1), "INT8", None), (4, 2), (2,)),
        ((96, 1, 1), "UINT4", dense(12), (2, 6), (2,)), ((40, 1, 1), "UINT6", dense(8, "INT6", 4), (4, 5), (3,)),
        ((2, 6, 6), "UINT4", conv(6, (3, 3), "INT8"), (6, 18), (2,)),
        ((24, 9, 9), "UINT2", pool((3, 3), (2, 2), same), (6,), (2,)),
        ((16, 10, 10), "UINT3", pool((2, 2)), (16,), (20,)),
        ((64, 20, 20), "UINT4", pool((3, 3), (2, 2), same), (8,), (2,)),
        ((48, 7, 7), "UINT4", lambda g: g.global_sum("x"), (6,), (2,)),
        ((20, 5, 5), "INT6", lambda g: g.global_sum("x"), (20,), (40,)),
        ((24, 8, 8), "UINT4", lambda g: g.add("x", "x"), (6,), (2, 150)),
        ((32, 8, 8), "INT6", lambda g: g.add("x", "x"), (32,), (2, 90)),
        ((24, 5, 5), "UINT8", lambda g: g.bias("x"), (3,), (70,)),
        ((20, 6, 6), "INT7", lambda g: g.negate("x"), (4,), (2,)),
        ((16, 8, 8), "UINT4", lambda g: g.concat("x", "x"), (32,), (2, 60)),
        ((32, 12, 12), "UINT4", conv(32, (3, 3), "TERNARY", 4, pads=same), (2, 36), (400,)),
        ((64, 18, 18), "UINT4", conv(16, (3, 3), "TERNARY", 2, pads=same), (4, 16), (2,)),
    ]  # fmt: skip
    yield from built(which, unseen if which == "blind2" else fit)


@click.command()
@click.argument("which", type=click.Choice(list(SEEDS)))
@click.option("--family", type=click.Choice(FAMILIES), multiple=True, default=("xcup", "xc7"))
def main(which: str, family: tuple[str, ...]) -> None:
    """Synthesises the layers of a set and writes layers_SET.csv."""
    target = HERE / f"layers_{which}.csv"
    rows: list[list] = []
    if target.exists():
        with open(target, newline="") as file:
            rows = [row for row in csv.reader(file) if row[0] in FAMILIES]
    for kind, (name, network, unit, fold, depths) in ((kind, layer) for kind in family for layer in layers(which)):
        if [kind, name] in [row[:2] for row in rows]:
            continue
        found = synthesize(generate_unit(network, unit, fold, depths), kind)
        rows.append([kind, name, *found.total()])
        click.echo(f"{kind} {name}: {found.seconds} s, {tool()}")
        temporary = target.with_suffix(f".{os.getpid()}")
        with open(temporary, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["family", "layer", "logic", "lutram", "ff", "bram18", "uram", "dsp"])
            writer.writerows(rows)
        os.replace(temporary, target)


if __name__ == "__main__":
    main()

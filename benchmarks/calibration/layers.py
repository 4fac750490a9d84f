"""Synthesises whole layers for the fit's check and for the blind test: python benchmarks/calibration/layers.py SET

Writes layers_SET.csv: family, layer, measured LUTs as logic and memory, FFs, BRAM18, DSP. `fit` layers were seen while
the formulas were made; `blind` layers only after they were frozen. Layers that the file already has are
kept: delete it after a change of hw/rtl. Estimates are computed when `check.py` compares.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from hw.fold import check
from hw.graph import Network
from hw.rtl import generate_unit
from hw.synth import FAMILIES, synthesize, tool
from hw.units import Fold, Unit, units
from tests.hw.random_graphs import GraphBuilder

HERE = Path(__file__).parent
SEEDS = {"fit": 100, "blind": 900}


def layers(which: str) -> Iterator[tuple[str, Network, Unit, Fold]]:
    """(name, network, unit, folding) of every layer of a set."""
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
        yield f"{which}{n}", network, unit, fold


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
    for kind, (name, network, unit, fold) in ((kind, layer) for kind in family for layer in layers(which)):
        if [kind, name] in [row[:2] for row in rows]:
            continue
        found = synthesize(generate_unit(network, unit, fold), kind)
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

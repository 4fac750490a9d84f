"""Synthesises whole layers for the fit's check and for the blind test: python benchmarks/calibration/layers.py SET

Writes layers_SET.csv: family, layer, measured LUTs as logic and memory, FFs, BRAM18, DSP. `fit` layers were seen while
the formulas were made; `blind` layers only after they were frozen. Each stands behind its FIFOs and converters, or is
unrolled over all pixels; both sets (sets.py) have all forms and kinds of layers. Layers that the file already has are
kept: delete it after a change of hw/rtl. Estimates are computed when `check.py` compares.
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[2]))

from sets import SETS, layers

from crq.hw.rtl.synth import FAMILIES, synthesize, tool

HERE = Path(__file__).parent


@click.command()
@click.argument("which", type=click.Choice(list(SETS)))
@click.option("--family", type=click.Choice(FAMILIES), multiple=True, default=FAMILIES)
@click.option("--layer", "chosen", multiple=True, help="Only these, e.g. fit3.")
def main(which: str, family: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Synthesises the layers of a set and writes layers_SET.csv."""
    target = HERE / f"layers_{which}.csv"
    wanted = [layer for layer in layers(which) if not chosen or layer.name in chosen]
    for kind, layer in ((kind, layer) for kind in family for layer in wanted):
        if [kind, layer.name] in [row[:2] for row in _rows(target)]:
            continue
        found = synthesize(layer.design(kind), kind)
        click.echo(f"{kind} {layer.name}: {found.seconds} s, {tool()}")
        temporary = target.with_suffix(f".{os.getpid()}")
        rows = _rows(target)  # another run may have added some
        with open(temporary, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["family", "layer", "logic", "lutram", "ff", "bram18", "uram", "dsp"])
            writer.writerows([*rows, [kind, layer.name, *found.total()]])
        os.replace(temporary, target)


def _rows(target: Path) -> list[list[str]]:
    """What was measured before."""
    if not target.exists():
        return []
    with open(target, newline="") as file:
        return [row for row in csv.reader(file) if row[0] in FAMILIES]


if __name__ == "__main__":
    main()

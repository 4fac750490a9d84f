"""The FIFOs of a network in both hardware forms: how deep, how wide, where, and what they cost by the estimate.

    python benchmarks/fifos.py resnet20 --fps 1000

The network is frozen from random weights and folded once, so that both forms have the same units. Nothing is
synthesised.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.networks import SHAPES, frozen
from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.cost.streams import fifo
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.streams import fifo_depths
from crq.hw.dataflow.timing import HLS, RTL
from crq.hw.dataflow.units import Unit, units
from crq.hw.fold.search import choose
from crq.hw.rtl.synth import FAMILIES

FORMS = {"RTL": RTL, "HLS": HLS}


def kind(unit: Unit) -> str:
    """Why a FIFO may stand in front of `unit`."""
    if unit.is_windowed:
        return "before a window"
    return "where branches join" if len(unit.sources) > 1 else "elsewhere"


@click.command()
@click.argument("name", type=click.Choice(sorted(SHAPES)))
@click.option("--bits", default=4, show_default=True, help="Of an activation.")
@click.option("--fps", default=1000.0, show_default=True)
@click.option("--family", type=click.Choice(FAMILIES), default="xcup", show_default=True)
def main(name: str, bits: int, fps: float, family: str) -> None:
    """Prints every FIFO, their sums by kind, and the whole network."""
    network = frozen(name, bits)
    folds = choose(network, target_fps=fps)
    depths = {form: fifo_depths(network, folds, timing) for form, timing in FORMS.items()}
    beats, sums = stream_beats(network, folds), defaultdict[tuple[str, str], Resources](Resources)
    click.echo(
        f"{'input of':28} {'bits':>4}" + "".join(f"  {form + ': depth':>10} {'LUT':>4} {'BRAM18':>6}" for form in FORMS)
    )
    for unit in units(network):
        for i, (source, tensor) in enumerate(zip(unit.sources, unit.inputs, strict=True)):
            width, line = beats[source.name] * tensor.format.bits, ""
            for form in FORMS:
                depth = depths[form][unit.name, i]
                price = fifo(depth, width, family)
                sums[kind(unit), form] = sums[kind(unit), form].plus(price)
                line += f"  {depth:10,} {price.lut:4.0f} {price.bram18:6}"
            click.echo(f"{unit.name + (f' ({i + 1})' if i else ''):28} {width:4}{line}")
    for (what, form), total in sorted(sums.items()):
        click.echo(f"{form}, {what}: {total.lut:,.0f} LUT, {total.bram18} BRAM18")
    for form, timing in FORMS.items():
        whole = estimate(network, folds, family, timing=timing)
        found = whole.pipeline
        click.echo(
            f"{form}: {whole.total.lut:,} LUT, {whole.total.bram36:g} BRAM36; interval {found.interval:,} cycles, "
            f"latency {found.latency:,}"
        )


if __name__ == "__main__":
    main()

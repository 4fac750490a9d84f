"""Whole networks folded for a frame rate, or unrolled, their RTL synthesised with Yosys: area beside the estimate.

    python benchmarks/networks.py resnet20 --fps 1000
    python benchmarks/networks.py vgg7-unrolled --bits 2 --fps 20000 --family xcup
    python benchmarks/networks.py resnet20 --fps 1000 --simulate 3    # also Verilator: integers and cycles
    python benchmarks/networks.py mlp --parallel                      # io_parallel: an image per cycle

The network is frozen from random weights, as in csim.py. Each run adds a row to networks.csv beside this file; the
last column is the ratio to the LUTs of the first row of the same network, rate and family.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import append
from crq.hw.cost.network import Estimate, estimate
from crq.hw.dataflow.streams import output_unit
from crq.hw.dataflow.units import Fold
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import random_codes
from crq.hw.rtl.generate import generate
from crq.hw.rtl.measure import default_cache
from crq.hw.rtl.parallel import generate_parallel
from crq.hw.rtl.synth import FAMILIES, synthesize, tool
from crq.hw.rtl.verilator import beats, run_network, run_parallel
from crq.hw.rtl.verilog import Design

if TYPE_CHECKING:
    from torch import nn

TABLE = Path(__file__).with_suffix(".csv")
HEADER = (
    "date", "commit", "tool", "network", "activation_bits", "fps", "family", "cycles", "lut", "ff", "bram36", "dsp",
    "estimated_lut", "estimated_ff", "estimated_bram36", "ratio",
)  # fmt: skip
WIDTHS = (16, 64, 32, 32, 5)  # of the layers of "mlp"
SHAPES = {
    "mlp": WIDTHS[:1],
    "digits-cnn": (1, 8, 8),
    "convnet": (1, 28, 28),
    "resnet20": (3, 32, 32),
    "vgg7-unrolled": (3, 32, 32),
}
CLOCK_NS = 5.0


def frozen(name: str, bits: int) -> Network:
    """The integer graph of a network with random weights."""
    import torch

    import crq
    from crq import models
    from crq.export.qonnx import to_qonnx
    from crq.hw.read.origin import load_graph

    torch.manual_seed(0)
    model = crq.prepare(_mlp() if name == "mlp" else models.build(name), crq.TernaryConfig(act_bits=bits))
    crq.set_mode(model, "quantized")
    found = crq.freeze(model, [torch.randint(0, 256, (64, *SHAPES[name]), dtype=torch.uint8)])
    with tempfile.TemporaryDirectory() as folder:
        to_qonnx(found, Path(folder) / "network.onnx")
        return Network(load_graph(Path(folder) / "network.onnx")[0])


def _mlp() -> nn.Module:
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, outputs in zip(WIDTHS, WIDTHS[1:], strict=False):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-2])


def first_luts(*key: object) -> float | None:
    """LUTs of the first row of the same network, bits, rate and family."""
    if not TABLE.exists():
        return None
    with open(TABLE, newline="") as file:
        for row in csv.DictReader(file):
            if [row[k] for k in ("network", "activation_bits", "fps", "family")] == [str(k) for k in key]:
                return float(row["lut"])
    return None


class Built(NamedTuple):
    """A network as RTL, its estimate, and the frames per second that it was made for."""

    network: Network
    design: Design
    guess: Estimate
    fps: float
    folds: dict[str, Fold] | None

    def simulated(self, images: int) -> str:
        """Verilator's integers and cycles beside the golden model's and the cycle model's."""
        network, model = self.network, self.guess.pipeline
        codes = random_codes(network, images).reshape(images, *network.inputs[0].shape)
        shape = network.carried(network.outputs[0]).shape
        wanted = evaluate(network, codes).reshape(-1, *shape)
        with tempfile.TemporaryDirectory() as folder:
            if self.folds is None:
                found = run_parallel(network, self.design, Path(folder), codes, optimize=True)
                expected = wanted.transpose(0, 2, 3, 1).reshape(images, -1)
            else:
                found = run_network(network, self.folds, Path(folder), codes, optimize=True)
                expected = beats(wanted, self.folds[output_unit(network, network.outputs[0])].pe)
        each = len(expected) // images
        differing = int((found.values != expected).sum())
        # Of an unrolled network the latency is that of the registers: an image is there in cycle 0.
        latency = found.cycles[each - 1] + (self.folds is not None)
        intervals = np.diff(found.cycles[each - 1 :: each]).tolist()
        return (
            f"{expected.size} integers of {images} images, {differing} differ; latency {latency} cycles "
            f"(model {model.latency}), intervals {intervals} (model {model.interval})"
        )


def built(network: Network, fps: float, family: str, parallel: bool) -> Built:
    """The network folded for `fps`, or unrolled."""
    if parallel:
        guess = estimate(network, {}, family, "io_parallel")
        return Built(network, generate_parallel(network, family), guess, guess.fps(CLOCK_NS), None)
    started = time.monotonic()
    folds = choose(network, clock_period_ns=CLOCK_NS, target_fps=fps)
    click.echo(f"folded for {fps:g} frames/s in {time.monotonic() - started:.1f} s")
    return Built(network, generate(network, folds, family=family), estimate(network, folds, family), fps, folds)


@click.command()
@click.argument("name", type=click.Choice(sorted(SHAPES)))
@click.option("--bits", default=4, show_default=True, help="Of an activation.")
@click.option("--fps", default=1000.0, show_default=True)
@click.option("--parallel", is_flag=True, help="Unrolled: an image per cycle, whatever --fps says.")
@click.option("--family", type=click.Choice(FAMILIES), default="xcup", show_default=True)
@click.option("--simulate", default=0, metavar="N", help="Images for Verilator.")
@click.option("--cache", type=click.Path(path_type=Path), default=default_cache, help="Folder of earlier syntheses.")
def main(name: str, bits: int, fps: float, parallel: bool, family: str, simulate: int, cache: Path) -> None:
    """Prints the area and adds it to networks.csv."""
    click.echo(f"{name}, {bits} bits")
    made = built(frozen(name, bits), fps, family, parallel)
    guess, fps = made.guess, made.fps
    total = synthesize(made.design, family, cache=cache).total()
    before = first_luts(name, bits, fps, family)
    for what in ("lut", "ff", "bram36"):
        have, expected = getattr(total, what), getattr(guess.total, what)
        click.echo(f"  {what.upper():7} {have:9,g}   estimate {expected:9,g} ({(expected - have) / max(have, 1):+.1%})")
    reached = guess.fps(CLOCK_NS)
    click.echo(f"  DSP {total.dsp}; {reached:,.0f} frames/s at {CLOCK_NS:g} ns; {tool()}, {family}")
    if simulate:
        click.echo(f"  Verilator: {made.simulated(simulate)}")
    append(TABLE, HEADER, tool(), name, bits, fps, family, guess.pipeline.interval, total.lut, total.ff, total.bram36,
           total.dsp, guess.total.lut, guess.total.ff, guess.total.bram36,
           round(total.lut / before, 3) if before else 1.0)  # fmt: skip


if __name__ == "__main__":
    main()

"""Faults put into the integer graph, and where they show: python benchmarks/mutation.py --faults 60

Of each network as many weights get another code, and as many thresholds move by one; which ones is random, from a seed.
A fault is looked for where `crq simulate` looks: in the final integers on its default images, in every layer's integers
on them (`--trace`), and on operands that drive its layer alone (the proof of thresholds, and that of accumulators).
A moved threshold that no sum of its layer lies between is no fault: it is counted as equal. What is left is named. One
row per run goes to mutation.csv beside this file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.history import append
from crq.hw.cli.simulate import RANDOM_IMAGES
from crq.hw.dataflow.units import Fold, units
from crq.hw.hls.plan import Plan, Process, make_plan
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import apply, evaluate
from crq.hw.ir.layers import Conv, Dense, IntArray, Layer, Threshold
from crq.hw.ir.vectors import all_vectors
from crq.hw.verify.proofs.accumulator import driven
from crq.hw.verify.proofs.alone import sums_of
from crq.hw.verify.proofs.boundaries import operands, reachable
from tests.support.random_graphs import (
    depthwise_net,
    global_pool_net,
    one_dimensional_net,
    residual_net,
    resnet,
    small_cnn,
)

TABLE = Path(__file__).with_suffix(".csv")
HEADER = ("date", "commit", "seed", "kind", "faults", "final", "traced", "alone", "equal", "missed")
NETWORKS: dict[str, Callable[[], object]] = {
    "cnn": small_cnn, "global pool": global_pool_net, "residual": residual_net, "depthwise": depthwise_net,
    "1-D": one_dimensional_net, "resnet8": lambda: resnet(1, size=8),
}  # fmt: skip


class Fault(NamedTuple):
    """`changed` takes the place of `layer`, which `process` computes; `equal`: no operand can show it."""

    kind: str
    name: str
    process: Process
    layer: Layer
    changed: Layer
    equal: bool


def faults(plan: Plan, count: int, rng: np.random.Generator) -> Iterator[Fault]:
    """`count` weights with another code and `count` thresholds off by one."""
    having = [p for p in plan.processes if p.unit]
    macs = [p for p in having if isinstance(p.unit.layer, (Conv, Dense)) and p.unit.layer.weights.any()]
    tables = [p for p in having if p.unit.quantizer]
    for _ in range(count):
        process = macs[rng.integers(len(macs))]
        layer = process.unit.layer
        weights = layer.weights.copy()
        at = tuple(rng.integers(weights.shape))
        weights[at] = rng.choice([code for code in (-1, 0, 1) if code != weights[at]])
        yield Fault(
            "weight", f"{layer.name}{list(map(int, at))}", process, layer, replace(layer, weights=weights), False
        )
    for _ in range(count):
        process = tables[rng.integers(len(tables))]
        quantizer = process.unit.quantizer
        table = quantizer.thresholds.copy()
        channel, k = rng.integers(table.shape)
        by = int(rng.choice([-1, 1]))
        level = int(table[channel, k])
        table[channel, k] += by
        sums, between = reachable(plan, process, int(channel)), level if by > 0 else level - 1
        name = f"{quantizer.name}[{channel}, {k}] {level}{by:+}"
        moved = replace(quantizer, thresholds=np.sort(table, axis=1))
        yield Fault("threshold", name, process, quantizer, moved, between not in sums)


def shows_in_images(plan: Plan, fault: Fault, values: dict[str, IntArray]) -> tuple[bool, bool]:
    """Whether the final integers, and any unit's, differ from `values` (by tensor) on the same images."""
    network, now = plan.network, dict(values)
    for layer in network.layers[network.layers.index(fault.layer) :]:
        one = fault.changed if layer is fault.layer else layer
        now[layer.output.name] = apply(one, *(now[t.name] for t in layer.inputs))
    results = [p.unit.output.name for p in plan.processes if p.unit]
    differ = {name: not np.array_equal(now[name], values[name]) for name in (*results, network.outputs[0].name)}
    return differ[network.outputs[0].name], any(differ.values())


def shows_alone(plan: Plan, fault: Fault) -> bool:
    """Whether operands of the layer alone show it: its codes, or the sums before them, as the proofs compare them."""
    process = fault.process
    if isinstance(fault.layer, Threshold):
        fused = process.unit.threshold is not None
        found = (sums_of(plan, process, codes) if fused else codes for codes in operands(plan, process))
        return any(not np.array_equal(apply(fault.layer, sums), apply(fault.changed, sums)) for sums in found)
    codes = driven(plan, process)
    other = replace(process, unit=replace(process.unit, layer=fault.changed))
    return not np.array_equal(sums_of(plan, process, codes), sums_of(plan, other, codes))


def looked_at(plan: Plan, count: int, rng: np.random.Generator) -> Iterator[tuple[Fault, tuple[bool, bool, bool]]]:
    """Every fault, and whether the final integers, any layer's, and the layer alone show it."""
    network = plan.network
    codes = all_vectors(network, RANDOM_IMAGES, bounding_limit=RANDOM_IMAGES)
    values = {network.inputs[0].name: codes.astype(np.int64)}
    names = {layer.name: layer.output.name for layer in network}
    evaluate(network, codes, wanted=lambda name, found: values.__setitem__(names[name], found))
    for fault in faults(plan, count, rng):
        yield fault, (*shows_in_images(plan, fault, values), shows_alone(plan, fault))


@click.command()
@click.option("--faults", "count", default=40, show_default=True, help="Of each kind in each network.")
@click.option("--seed", default=0, show_default=True)
def main(count: int, seed: int) -> None:
    """Prints where the faults show, and names those that show nowhere."""
    found: dict[str, list[tuple[bool, ...]]] = {"weight": [], "threshold": []}
    for number, (name, make) in enumerate(NETWORKS.items()):
        network = Network(make())
        plan = make_plan(network, "io_stream", {u.name: Fold(1, 1) for u in units(network)})
        for fault, shown in looked_at(plan, count, np.random.default_rng([seed, number])):
            found[fault.kind].append((*shown, fault.equal))
            if fault.equal and any(shown):
                raise SystemExit(f"{name}: {fault.name} shows, though no sum lies between: `reachable` is wrong")
            if not fault.equal and not any(shown):
                click.echo(f"missed: {name}: a {fault.kind}, {fault.name}")
    click.echo(f"{'fault':10} {'made':>5} {'final':>12} {'traced':>12} {'layer alone':>12} {'equal':>6} {'missed':>7}")
    for kind, rows in found.items():
        made = len(rows)
        final, traced, alone, equal = (sum(column) for column in zip(*rows, strict=True))
        missed = sum(not any(row) for row in rows)
        shares = " ".join(f"{n:5} {n / (made - equal):6.1%}" for n in (final, traced, alone))
        click.echo(f"{kind:10} {made:5} {shares} {equal:6} {missed:7}")
        append(TABLE, HEADER, seed, kind, made, final, traced, alone, equal, missed)
    click.echo("shares are of the faults that are none by themselves: 'equal' ones change no code of any operand")


if __name__ == "__main__":
    main()

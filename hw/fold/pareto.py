"""The trade between area and speed: foldings no other folding beats in both."""

from __future__ import annotations

from typing import NamedTuple

from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import Fold
from crq.hw.fold.candidates import Limits, fastest, slowest
from crq.hw.fold.joint import within
from crq.hw.fold.levels import as_built
from crq.hw.fold.search import remembered
from crq.hw.ir.graph import Network

STEP = 1.3  # ratio of the cycle budgets that are tried


class Point(NamedTuple):
    """A folding of the network with its interval (cycles per image) and estimated area."""

    folds: dict[str, Fold]
    interval: int
    total: Resources


def pareto(
    network: Network, family: str = "xcup", timing: Timing = RTL, clock_period_ns: float = 5.0
) -> list[Point]:  # fmt: skip
    """Points from the fastest folding to the smallest, each slower and smaller (in LUTs) than the one before."""
    limits = Limits(timing=timing)
    cost, last = remembered(family), slowest(network, limits)
    budget, points = float(fastest(network, limits)[0]), list[Point]()
    while True:
        folds = as_built(network, within(network, int(budget), cost, limits), family, clock_period_ns, timing)
        found = estimate(network, folds, family, timing=timing)
        points.append(Point(folds, found.pipeline.interval, found.total))
        if budget >= last:
            return _front(points)
        budget *= STEP


def _front(points: list[Point]) -> list[Point]:
    """Those that none of the others beats: what joins beats, and what large adder graphs come to, is known of the whole
    estimate alone."""
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.interval, p.total.lut)):
        if not front or point.total.lut < front[-1].total.lut:
            front.append(point)
    return front

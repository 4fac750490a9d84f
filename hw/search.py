"""The trade between area and speed: foldings no other folding beats in both."""

from __future__ import annotations

from typing import NamedTuple

from hw.devices import Device
from hw.errors import HwError
from hw.estimate import Resources, estimate
from hw.estimate.cycles import cycles
from hw.fold import FILL, fastest, fits, remembered, within
from hw.graph import Network
from hw.units import Fold, units

STEP = 1.3  # ratio of the cycle budgets that are tried


class Point(NamedTuple):
    """A folding of the network with its interval (cycles per image) and estimated area."""

    folds: dict[str, Fold]
    interval: int
    total: Resources


def pareto(network: Network, family: str = "xcup") -> list[Point]:
    """Points from the fastest folding to the smallest, each slower and smaller (in LUTs) than the one before."""
    cost = remembered(network, family)
    slowest = max(cycles(network, unit, Fold(1, 1)).interval for unit in units(network))
    budget, points = float(fastest(network)[0]), list[Point]()
    while True:
        folds = within(network, int(budget), cost)
        found = estimate(network, folds, family)
        if not points or found.total.lut < points[-1].total.lut:
            points.append(Point(folds, found.pipeline.interval, found.total))
        if budget >= slowest:
            return points
        budget *= STEP


def fastest_that_fits(network: Network, device: Device, fill: float = FILL) -> Point:
    """The fastest point of `pareto` that takes at most `fill` of `device`. Raises `HwError` if none does."""
    points = pareto(network, device.synthesis)
    for point in points:
        if fits(network, point.folds, device, fill):
            return point
    least = points[-1].total
    raise HwError(
        f"no folding fits {fill:.0%} of {device.part}: the smallest takes {least.lut:.0f} LUTs of {device.lut} and "
        f"{least.bram36:g} BRAM36 of {device.bram36}; take a larger part or a higher fill"
    )

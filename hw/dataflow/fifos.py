"""FIFO depths: what each stream must hold so that no unit ever waits for another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hw.dataflow.schedule import arrivals_at, cycles, flow, starts
from hw.dataflow.units import Fold, units
from hw.ir.graph import Network

MIN_FIFO = 2  # beats: one in use, one on its way
PACED_IMAGES = 4  # images after which the occupancy of every FIFO repeats

Depths = Mapping[tuple[str, int], int]
"""Beats by unit and number of its input."""


def fifo_depths(network: Network, folds: Mapping[str, Fold]) -> dict[tuple[str, int], int]:
    """(unit, input) to the beats its FIFO must hold for the network to reach the slowest unit's interval.

    Images paced evenly at that interval run without ever filling a FIFO this deep; a network of FIFOs never runs slower
    than a schedule its depths allow, so a source that offers beats as fast as it can reaches the interval too, and
    branches that join again cannot block each other.
    """
    interval = max(cycles(network, u, folds[u.name]).interval for u in units(network))
    pixels = network.input.shape.pixels
    entering = np.arange(PACED_IMAGES * pixels) * interval // pixels
    times, result = flow(network, folds, entering), {}
    for unit in units(network):
        arrivals = arrivals_at(network, unit, times)
        taken = starts(network, unit, folds[unit.name], np.max(arrivals, axis=0))[0]
        for i, own in enumerate(arrivals):
            waiting = np.arange(1, len(own) + 1) - np.searchsorted(taken, own)
            result[unit.name, i] = MIN_FIFO + int(waiting.max()) - 1
    return result

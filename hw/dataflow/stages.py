"""What follows the sums of a unit: how its thresholds are found, and how many cycles that takes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hw.dataflow.rings import ring
from hw.dataflow.thresholds import search_steps
from hw.dataflow.units import FOLDED, Fold, Unit


class Stage(NamedTuple):
    """`kind`: "none" (sums leave as they are), "compare" (all thresholds at once, or searched in a pipeline).

    `latency`: register stages between a finished block of sums and its beat.
    """

    kind: str
    latency: int


@lru_cache(maxsize=65536)
def stage(unit: Unit, fold: Fold) -> Stage:
    """The stage behind the sums of `unit`."""
    if unit.quantizer is None:
        return Stage("none", 0)
    return Stage("compare", 1 + search_steps(unit.quantizer))


def block_cycles(unit: Unit, fold: Fold) -> int:
    """Cycles between two finished blocks of PE channels."""
    if not unit.is_windowed:
        return 1
    if fold.form == FOLDED:
        return ring(unit, fold).block_steps
    return unit.fan_in // fold.simd

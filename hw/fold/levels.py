"""Registers of adder graphs by the clock: how many levels of adders fit between two of them."""

from __future__ import annotations

from collections.abc import Mapping

from hw.dataflow.units import Fold, Unit, units
from hw.ir.graph import Network

# ns of a stage of adders = BASE + levels * LEVEL. ECP5: benchmarks/levels.py, 2026-11-26, after place and route, speed
# grade 6. Xilinx: assumed from data sheets (a LUT, a carry chain and two nets per level); no vendor tool has seen it.
BASE_NS = {"xcup": 0.8, "xc7": 1.2, "ecp5": 2.4}
LEVEL_NS = {"xcup": 0.9, "xc7": 1.7, "ecp5": 2.0}
MARGIN = 0.75  # of the clock period: the rest is for nets of a full device


def adder_levels(family: str, clock_period_ns: float) -> int:
    """Levels of adders in a stage, at least 1; no adder graph is deeper than the tree of two-input adders that stages
    are counted by."""
    return max(1, int((MARGIN * clock_period_ns - BASE_NS[family]) / LEVEL_NS[family]))


def with_levels(
    network: Network, folds: Mapping[str, Fold], family: str, clock_period_ns: float, unrolled: bool = False
) -> dict[str, Fold]:
    """`folds` with the levels of a stage in every adder graph; `unrolled`: of io_parallel, where every sum is one."""
    levels = adder_levels(family, clock_period_ns)

    def of(unit: Unit) -> Fold:
        fold = folds[unit.name]
        return fold._replace(levels=levels) if unrolled or unit.is_unrolled(fold) else fold

    return {unit.name: of(unit) for unit in units(network)}

"""The estimate of a whole network: every unit's circuits, cycles and totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw.cost import parallel
from hw.cost.resources import Resources
from hw.cost.units import cost
from hw.dataflow.schedule import Cycles
from hw.dataflow.streams import Depths, Pipeline, fifo_depths, pipeline
from hw.dataflow.units import Fold, Unit, units
from hw.ir.graph import Network


@dataclass(frozen=True)
class UnitEstimate:
    """One unit: its folding, cycles per image, and the price of each circuit in it."""

    name: str
    kind: str
    fold: Fold
    cycles: Cycles
    parts: dict[str, Resources]

    @property
    def total(self) -> Resources:
        return Resources().plus(*self.parts.values()).rounded()


@dataclass(frozen=True)
class Estimate:
    """All units, the timing of the pipeline they form, and the synthesis family the prices are for."""

    family: str
    units: tuple[UnitEstimate, ...]
    pipeline: Pipeline

    @property
    def total(self) -> Resources:
        return Resources().plus(*(unit.total for unit in self.units))

    def fps(self, clock_period_ns: float) -> float:
        return 1e9 / (clock_period_ns * self.pipeline.interval)

    def latency_us(self, clock_period_ns: float) -> float:
        return self.pipeline.latency * clock_period_ns / 1000


def estimate_unit(
    network: Network, unit: Unit, fold: Fold, depths: Depths | None = None, family: str = "xcup"
) -> UnitEstimate:
    """Estimate of one unit; `depths` of its input FIFOs, the least ones if not given."""
    priced = cost(network, unit, fold, depths or {}, family)
    return UnitEstimate(unit.name, unit.layer.kind, fold, priced.cycles, priced.parts())


def estimate(network: Network, folds: Mapping[str, Fold], family: str = "xcup", io_type: str = "io_stream") -> Estimate:
    """Estimate of a network under `folds` (one per unit), or with every unit unrolled if `io_type` is io_parallel."""
    if io_type == "io_parallel":
        whole = tuple(
            UnitEstimate(u.name, u.layer.kind, parallel.fold(u), parallel.EVERY_CYCLE, parallel.parts(u))
            for u in units(network)
        )
        return Estimate(family, whole, parallel.pipeline(network))
    depths = fifo_depths(network, folds)
    found = tuple(estimate_unit(network, unit, folds[unit.name], depths, family) for unit in units(network))
    return Estimate(family, found, pipeline(network, folds))


# LUTs that half a block RAM stands for in a folding search: 53200 LUTs and 280 BRAM18 share an xc7z020.
LUT_PER_BRAM18 = 190


def area(network: Network, unit: Unit, fold: Fold, family: str = "xcup") -> float:
    """One number to minimise: LUTs plus block RAM at the exchange rate of a small part."""
    total = estimate_unit(network, unit, fold, family=family).total
    return total.lut + LUT_PER_BRAM18 * total.bram18

"""The estimate of a whole network: every unit's circuits, cycles and totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crq.hw.cost import parallel
from crq.hw.cost.resources import Resources
from crq.hw.cost.streams import fork, stream_parts
from crq.hw.cost.units import cost
from crq.hw.dataflow import unrolled
from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.schedule import Cycles, cycles
from crq.hw.dataflow.streams import Depths, Pipeline, fifo_depths, intervals, pipeline
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac


@dataclass(frozen=True)
class UnitEstimate:
    """One unit: its folding, cycles per image behind its converters, how many of them it is `waiting` for beats that
    one joins, and the price of each circuit in it."""

    name: str
    kind: str
    fold: Fold
    cycles: Cycles
    parts: dict[str, Resources]
    waiting: int = 0

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
    unit: Unit,
    fold: Fold,
    given: tuple[int, ...] | None = None,
    depths: Depths | None = None,
    family: str = "xcup",
) -> UnitEstimate:
    """Estimate of one unit; with the channels per beat that it is `given` and the `depths` of its FIFOs, of the unit
    behind its FIFOs and converters."""
    parts = cost(unit, fold, family).parts()
    if given is not None and depths is not None:
        parts |= stream_parts(unit, fold, given, depths, family)
    return UnitEstimate(unit.name, unit.layer.kind, fold, cycles(unit, fold), parts)


def estimate(
    network: Network, folds: Mapping[str, Fold], family: str = "xcup", io_type: str = "io_stream",
    timing: Timing = RTL,
) -> Estimate:  # fmt: skip
    """Estimate of a network under `folds` (one per unit), or with every unit unrolled if `io_type` is io_parallel: of
    its folds the `levels` count alone.

    The circuits are those of the RTL form; cycles and depths of FIFOs are those of `timing`.
    """
    if io_type == "io_parallel":
        return _unrolled(network, family, max((f.levels for f in folds.values()), default=unrolled.LEVELS))
    depths, beats = fifo_depths(network, folds, timing), stream_beats(network, folds)
    paced = intervals(network, folds, timing)
    sources = [tensor.name for unit in units(network) for tensor in unit.sources]
    sources += [result.name for result in network.leaving]
    found = []
    for unit in units(network):
        given = tuple(beats[t.name] for t in unit.sources)
        one = estimate_unit(unit, folds[unit.name], given, depths, family)
        own = timing.cycles(unit, folds[unit.name])
        one = replace(one, cycles=own._replace(interval=paced[unit.name]), waiting=paced[unit.name] - own.interval)
        if (readers := sources.count(unit.output.name)) > 1:
            one.parts["fork"] = fork(readers, family)
        found.append(one)
    for tensor in network.inputs:
        if (readers := sources.count(tensor.name)) > 1 and found:
            found[0].parts["fork"] = found[0].parts.get("fork", Resources()).plus(fork(readers, family))
    return Estimate(family, tuple(found), pipeline(network, folds, depths, timing))


def _unrolled(network: Network, family: str, levels: int) -> Estimate:
    """The registers in which a tensor waits are of the unit that gives it, or, of inputs, of the first; the
    handshake is of the last."""
    late, found = unrolled.waits(network, levels), list[UnitEstimate]()
    for unit in units(network):
        parts = parallel.parts(unit, family, levels)
        tensors = [unit.output] if found else [*network.inputs, unit.output]
        waiting = [parallel.delay(t, late[t.name], family) for t in tensors if t.name in late]
        parts |= {"delays": Resources().plus(*waiting)} if waiting else {}
        found.append(
            UnitEstimate(
                unit.name, unit.layer.kind, unrolled.fold(unit)._replace(levels=levels), unrolled.EVERY_CYCLE, parts
            )
        )
    timing = unrolled.pipeline(network, levels)
    if found:
        found[-1].parts["control"] = parallel.control(timing.latency)
    return Estimate(family, tuple(found), timing)


# What other resources stand for in a folding search, in LUTs: 53200 LUTs and 280 BRAM18 share an xc7z020, and every
# LUT has two FFs beside it, which are rarely what a part lacks.
LUT_PER_BRAM18 = 190
LUT_PER_FF = 0.25
SOLVED_WEIGHTS = 1000  # non-zero weights of a layer whose graph a search solves: some 0.1 s


def area(unit: Unit, fold: Fold, family: str = "xcup") -> float:
    """One number to minimise: LUTs, and other resources at the exchange rates of a small part.

    Large adder graphs are priced roughly: to solve them takes seconds each.
    """
    solved = not unit.is_unrolled(fold) or (isinstance(unit.layer, Mac) and unit.layer.nonzeros <= SOLVED_WEIGHTS)
    return weighed(Resources().plus(*cost(unit, fold, family, solved).parts().values()))


def weighed(total: Resources) -> float:
    """Resources in LUTs, at those rates."""
    return total.lut + LUT_PER_FF * total.ff + LUT_PER_BRAM18 * total.bram18

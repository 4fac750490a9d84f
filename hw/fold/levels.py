"""Registers by the clock: how many levels of adders fit between two of them, and which paths need one more."""

from __future__ import annotations

from collections.abc import Mapping

from crq.hw.dataflow.memory import weights_in_bram
from crq.hw.dataflow.rings import in_block
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac

# ns of a stage of adders = BASE + levels * LEVEL. ECP5: benchmarks/levels.py, 2026-11-26, after place and route, speed
# grade 6. Xilinx: assumed from data sheets (a LUT, a carry chain and two nets per level); no vendor tool has seen it.
BASE_NS = {"xcup": 0.8, "xc7": 1.2, "ecp5": 2.4}
LEVEL_NS = {"xcup": 0.9, "xc7": 1.7, "ecp5": 2.0}
MARGIN = 0.75  # of the clock period: the rest is for nets of a full device
# ns that the clock must have for no register to stand behind block RAM; and inside of thresholds. ECP5:
# benchmarks/place, 2026-11-26, speed grade 6, in whole networks: 14.7 from a block through products and adders (5.8 of
# it the block), 9.9 through comparators and encoder, and a tenth. The others were not routed: they get none.
FETCH_NS = {"ecp5": 16.0}
QUICK_NS = {"ecp5": 11.0}


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


def with_registers(
    network: Network, folds: Mapping[str, Fold], family: str, clock_period_ns: float
) -> dict[str, Fold]:  # fmt: skip
    """`folds` with all registers that the RTL form needs for a clock."""
    fetch = int(clock_period_ns < FETCH_NS.get(family, 0))
    quick = int(clock_period_ns < QUICK_NS.get(family, 0))
    return {
        unit.name: fold._replace(fetch=fetch * reads_blocks(unit, fold), quick=quick)
        for unit, fold in zip(
            units(network), with_levels(network, folds, family, clock_period_ns).values(), strict=True
        )
    }


def as_built(
    network: Network, folds: Mapping[str, Fold], family: str, clock_period_ns: float, timing: Timing
) -> dict[str, Fold]:  # fmt: skip
    """`folds` with the registers of the form that has this timing."""
    registers = with_registers if timing is RTL else with_levels
    return registers(network, folds, family, clock_period_ns)


def reads_blocks(unit: Unit, fold: Fold) -> bool:
    """Whether what a unit computes on comes out of block RAM."""
    if not unit.is_windowed or unit.is_unrolled(fold):
        return False
    weights = isinstance(unit.layer, Mac) and weights_in_bram(unit.layer, fold)
    return weights or (fold.form == FOLDED and in_block(unit, fold))

"""The price of each kind of unit under a folding: the named circuits of hw/rtl/lib that it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from crq.hw.cost.elements import (
    arg_max_parts,
    concat_parts,
    element_parts,
    enlarge_parts,
    global_sum_parts,
    pool_parts,
    shift_parts,
)
from crq.hw.cost.mac import mac_parts
from crq.hw.cost.registers import clock_registers
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    GlobalSum,
    Layer,
    Mac,
    MaxPool,
    Negate,
    Shift,
    Threshold,
)

COSTS: dict[type[Layer], Callable[[Unit, Fold, str], dict[str, Resources]]] = {
    **dict.fromkeys((Conv, Dense), mac_parts),
    MaxPool: pool_parts,
    **dict.fromkeys((Threshold, Add, Bias, Negate), element_parts),
    GlobalSum: global_sum_parts,
    Concat: concat_parts,
    Enlarge: enlarge_parts,
    Shift: shift_parts,
    ArgMax: arg_max_parts,
}
"""The circuits of each kind of unit, by name."""


class UnitCost(NamedTuple):
    """One unit under one folding on one family."""

    unit: Unit
    fold: Fold
    family: str
    solved: bool = True

    def parts(self) -> dict[str, Resources]:
        """Circuit name to price."""
        if not self.solved:
            assert isinstance(self.unit.layer, Mac)
            return mac_parts(self.unit, self.fold, self.family, solved=False)
        parts = COSTS[type(self.unit.layer)](self.unit, self.fold, self.family)
        added = clock_registers(self.unit, self.fold)
        return {**parts, "registers": added} if added.ff else parts


def cost(unit: Unit, fold: Fold, family: str = "xcup", solved: bool = True) -> UnitCost:
    """The cost of a unit under a folding; streams between units are priced by crq.hw.cost.streams.

    Not `solved`: an adder graph is priced roughly.
    """
    return UnitCost(unit, fold, family, solved)

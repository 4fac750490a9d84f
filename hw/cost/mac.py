"""The price of a convolution or dense layer: what crq.hw.rtl.mac makes of it, in both forms."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from crq.hw.cost.graphs import graph_price, rough_price
from crq.hw.cost.lanes import folded_lane
from crq.hw.cost.primitives import Bits, block_rom, rom
from crq.hw.cost.resources import Resources
from crq.hw.cost.ring import ring_parts
from crq.hw.cost.stages import output_register, searchers
from crq.hw.cost.thresholds import block_constants, table_lanes
from crq.hw.cost.window import select_price, steps_price, window_price
from crq.hw.dataflow.bits import as_bits
from crq.hw.dataflow.memory import weights_in_bram
from crq.hw.dataflow.schedule import graph_stages, lane_registers, sum_registers
from crq.hw.dataflow.stages import stage
from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.dataflow.windows import window
from crq.hw.graphs.layer import layer_stages
from crq.hw.ir.digits import complement_offset, digits_of, lane_bits
from crq.hw.ir.layers import Mac

Parts = dict[str, Resources]


def mac_parts(unit: Unit, fold: Fold, family: str = "xcup", solved: bool = True) -> Parts:
    """Circuit to price; not `solved`: an adder graph roughly."""
    return MacPrice(unit, fold, family, solved).parts()


class MacPrice:
    """Facts of one MAC unit under one folding that every circuit's price is made from."""

    def __init__(self, unit: Unit, fold: Fold, family: str, solved: bool = True) -> None:
        assert isinstance(unit.layer, Mac)
        self.solved = solved
        self.unit, self.mac, self.fold, self.family = unit, unit.layer, fold, family
        self.blocks = unit.output.shape.c // fold.pe
        self.chunks = self.mac.fan_in // fold.simd
        self.steps = self.blocks * self.chunks
        self.digits = digits_of(self.mac)
        self.bits_in = self.mac.input.format.bits
        self.folded = fold.form == FOLDED
        self.unrolled = unit.is_unrolled(fold)

    def parts(self) -> Parts:
        parts = dict(ring_parts(self.unit, self.fold, self.family)) if self.folded else self.parallel()
        if self.unrolled:
            parts["lanes"] = self.graph()
        else:
            parts |= {"weights": self.weights(), "lanes": self.lanes(), "start": self.start()}
        return {**parts, "control": self.control(), **self.codes()}

    def parallel(self) -> Parts:
        slide = window(self.unit)
        parts = {
            "window": window_price(slide, self.bits_in, self.family),
            "steps": steps_price(self.chunks, self.blocks, self.family),
        }
        if not self.unrolled:
            groups = self.mac.groups
            slots = max(1, self.fold.pe // (self.unit.output.shape.c // groups)) if groups > 1 else 1
            inputs = self.chunks * (groups // slots if groups > 1 else 1)
            parts["operands"] = select_price(slots * self.fold.simd * self.bits_in, inputs, self.family)
        return parts

    def weights(self) -> Resources:
        digits = self.digits.shape[-1]
        width = 2 * self.fold.pe * self.fold.simd * digits
        if weights_in_bram(self.mac, self.fold):  # priced by its size: no need for the content
            return block_rom(self.steps, width, self.family)
        return _weight_rom(self.mac, self.fold.pe, self.fold.simd, self.family)

    def lanes(self) -> Resources:
        thresholds = self.unit.threshold is not None
        acc = lane_bits(self.mac, thresholds)
        single = self.chunks == 1
        lane = folded_lane(self.fold.simd, self.digits.shape[-1], self.bits_in, acc, single=single, zero=thresholds,
                           family=self.family)  # fmt: skip
        return lane.times(self.fold.pe)

    def graph(self) -> Resources:
        """The adders of all sums."""
        if not self.solved:
            return rough_price(self.mac, self.family)
        stages = graph_stages(self.mac, self.fold.levels)
        return graph_price(layer_stages(self.mac, self.family, stages), self.family)

    def start(self) -> Resources:
        """The ROM of what sums start from, where no thresholds hold it."""
        if self.unit.threshold is not None:
            return Resources()
        words = complement_offset(self.mac).reshape(self.blocks, self.fold.pe)
        return block_constants(as_bits(words, lane_bits(self.mac, False)), self.family)

    def control(self) -> Resources:
        """The flags that travel beside the sums."""
        if self.unrolled:
            return Resources(logic=1, ff=sum_registers(self.unit, self.fold) - 1)
        stages = lane_registers(self.fold.simd, self.digits.shape[-1]) + (not self.folded)
        return Resources(logic=2, ff=2 * stages + 1)

    def codes(self) -> Parts:
        chosen, pe = stage(self.unit, self.fold), self.fold.pe
        if chosen.kind == "none":
            return {}
        found = sums(self.unit, self.unrolled).table
        assert found is not None
        if chosen.sequential:
            return {"thresholds": searchers(found, pe, chosen.searchers, chosen.kind, self.family)}
        lanes = table_lanes(found, pe, self.family)
        waits = Resources(ff=found.bits if found.searched else 0)
        out = output_register(pe * self.unit.output.format.bits, self.family)
        return {"thresholds": lanes.plus(waits), "output": out}


@lru_cache(maxsize=16384)
def _weight_rom(mac: Mac, pe: int, simd: int, family: str) -> Resources:
    return rom(weight_words(mac, pe, simd), "lut", family)


def weight_words(mac: Mac, pe: int, simd: int) -> Bits:
    """The ROM of a folded layer: per lane the non-zero flags of its products, then their signs."""
    digits = digits_of(mac).transpose(0, 2, 3, 1, 4)
    steps = mac.weights.size // (pe * simd)
    words = digits.reshape(len(digits) // pe, pe, -1, simd * digits.shape[-1]).transpose(0, 2, 1, 3)
    lanes = words.reshape(steps, pe, -1)
    return np.concatenate([lanes != 0, lanes < 0], axis=2).reshape(steps, -1)

"""One cost class per unit kind: the named circuits of hw/rtl/lib it is made of, each priced by a primitive."""

from __future__ import annotations

from math import ceil

import numpy as np

from hw.cost import constants as measured
from hw.cost.constants import maximum, multiplexer
from hw.cost.lanes import constant_lanes
from hw.cost.primitives import (
    bram18,
    memory,
    rom,
    tree,
    tree_flip_flops,
)
from hw.cost.resources import Resources
from hw.cost.thresholds import threshold_lanes
from hw.dataflow.bits import as_bits, clog2
from hw.dataflow.memory import BRAM_BITS, weights_in_bram
from hw.dataflow.schedule import cycles, tree_registers
from hw.dataflow.streams import MIN_FIFO, Depths
from hw.dataflow.units import Fold, Unit
from hw.dataflow.windows import window
from hw.ir.digits import complement_offset, digits_of, signed_digits
from hw.ir.graph import Network
from hw.ir.layers import (
    Add,
    Bias,
    Concat,
    Conv,
    Dense,
    GlobalSum,
    Layer,
    Mac,
    MaxPool,
    Negate,
    Shift,
    Threshold,
    smallest_format,
)


class UnitCost:
    """Facts of one unit under one folding that every circuit's price is made from."""

    def __init__(self, network: Network, unit: Unit, fold: Fold, depths: Depths,
                 family: str) -> None:  # fmt: skip
        self.depths, self.family = depths, family
        self.network, self.unit, self.fold = network, unit, fold
        self.source = network.carried(unit.layer.input)
        self.slide = window(unit)
        self.cycles = cycles(unit, fold)
        self.steps = self.cycles.steps
        self.x = unit.layer.input.format
        self.channels_in = self.source.shape.c
        self.channels_out = unit.output.shape.c
        self.blocks = self.channels_out // fold.pe

    def parts(self) -> dict[str, Resources]:
        """Circuit name to price."""
        return {"output": self.output(), "fifo": self.fifo()}

    def output(self) -> Resources:
        """The register that collects PE results per step into one beat."""
        return Resources(ff=self.channels_out * self.unit.output.format.bits + 1, logic=3)

    def fifo(self) -> Resources:
        """The FIFOs in front of the unit, one per input. A shift is wires and has none."""
        total = Resources()
        for i, tensor in enumerate(() if isinstance(self.unit.layer, Shift) else self.unit.inputs):
            depth = self.depths.get((self.unit.name, i), MIN_FIFO)
            width = self.network.carried(tensor).shape.c * tensor.format.bits
            total = total.plus(self.one_fifo(depth, width))
        return total

    def one_fifo(self, depth: int, width: int) -> Resources:
        """Memory, two pointers, a count; a FIFO in block RAM also bypasses the word written last."""
        pointer, block = max(1, clog2(depth)), depth * width >= BRAM_BITS
        logic = measured.FIFO_LUTS_BASE + measured.FIFO_LUTS_POINTER * pointer
        if depth != 1 << pointer:
            logic += measured.FIFO_LUTS_WRAP * pointer
        control = Resources(logic=logic + width * block, ff=(3 if block else 4) * pointer + 1 + (width + 1) * block)
        return memory(depth, width, self.family).plus(control)


class WindowedCost(UnitCost):
    """Line buffers, window registers, position counters and the multiplexer that feeds the lanes."""

    def parts(self) -> dict[str, Resources]:
        return {"window": self.window_registers(), **super().parts()}

    def window_registers(self) -> Resources:
        (span_h, span_w), width = self.slide.span, self.channels_in * self.x.bits
        rows, columns = self.slide.padded
        registers = Resources(ff=span_h * span_w * width)
        lines = memory(columns, (span_h - 1) * width, self.family) if span_h > 1 else Resources()
        strides, padded = self.slide.stride, any(self.slide.pads)
        waits = sum(clog2(max(span, stride)) for span, stride in zip(self.slide.span, strides, strict=True))
        counters = clog2(rows) + clog2(columns) + waits if waits or padded else 0
        # A padded image compares its position with four borders, and every bit of a pixel is gated.
        logic = 2 * counters - 1 + width if padded else 1.5 * counters + 2 * (not counters)
        copied = clog2(columns) if lines.lutram and span_h > 2 else 0  # synthesis keeps the LUTRAM's address twice
        return registers.plus(lines, Resources(logic=logic, ff=counters + 1 + copied))

    def sequencer(self, chunks: int) -> Resources:
        """Counters of steps: chunks, blocks and, where the two do not join to one number, the address."""
        bits = clog2(chunks) + clog2(self.blocks)
        if chunks > 1 and self.blocks > 1 and chunks != 1 << clog2(chunks):
            bits += clog2(chunks * self.blocks)
        return Resources(logic=bits + 2 if bits else 0, ff=bits)

    def operands(self, lanes: int) -> Resources:
        """The registered multiplexer from the window to `lanes` operands."""
        return Resources(logic=lanes * self.x.bits * multiplexer(self.steps), ff=lanes * self.x.bits)


class MacCost(WindowedCost):
    """PE lanes of SIMD ternary products each, summed and accumulated, then thresholded."""

    def parts(self) -> dict[str, Resources]:
        parts = {"operands": self.mux(), "weights": self.weights(), "lanes": self.lanes(), "control": self.control()}
        parts |= super().parts()
        if self.unit.threshold is not None:
            parts["thresholds"] = self.thresholds(self.unit.threshold)
        elif self.digits > 1 and self.blocks > 1 and self.steps > 1:
            offset = complement_offset(self.mac).reshape(self.blocks, self.fold.pe)
            parts["start"] = rom(as_bits(offset, self.mac.output.format.bits))
        return parts

    @property
    def mac(self) -> Mac:
        assert isinstance(self.unit.layer, Mac)
        return self.unit.layer

    def mux(self) -> Resources:
        chunks = self.mac.fan_in // self.fold.simd
        groups = min(self.mac.groups, self.fold.pe)
        inputs = chunks * ceil(self.mac.groups / groups) if self.mac.groups > 1 else chunks
        bits = self.fold.simd * self.x.bits * groups
        if self.steps == 1 and self.digits > 1:
            return Resources()  # the lanes read the window; ternary ones count a register, as frozen
        return Resources(logic=bits * multiplexer(inputs), ff=bits)

    def weights(self) -> Resources:
        if self.steps == 1:
            return Resources()
        width = 2 * self.fold.pe * self.fold.simd * self.digits
        if weights_in_bram(self.mac, self.fold):  # priced by its size: no need for the content
            return Resources(bram18=bram18(self.steps, width))
        codes = self.mac.weights.transpose(0, 2, 3, 1).reshape(self.blocks, self.fold.pe, -1, self.fold.simd)
        words = signed_digits(codes.transpose(0, 2, 1, 3).reshape(self.steps, -1)).reshape(self.steps, -1)
        return rom(np.concatenate([words != 0, words < 0], axis=1), "lut")

    def control(self) -> Resources:
        """Step counters, the flags that travel along the pipeline, and the counters of per-block constants."""
        chunks = self.mac.fan_in // self.fold.simd
        stages = tree_registers(self.fold.simd * self.digits)
        constants = clog2(self.blocks) * (self.fold.pe if self.unit.threshold is not None else 1)
        flags = 2 * stages if self.steps == 1 else 3 * (stages + 1) + 2
        return self.sequencer(chunks).plus(Resources(logic=constants + 2, ff=flags + constants))

    @property
    def digits(self) -> int:
        """Signed binary digits per weight: 1 if ternary."""
        return int(digits_of(self.mac).shape[-1])

    def lanes(self) -> Resources:
        accumulator, bits, simd = self.mac.output.format.bits, self.x.bits, self.fold.simd
        if self.steps == 1:
            return constant_lanes(digits_of(self.mac), self.x)
        # The lanes of an integer weight are its digits, each a shifted product with the bits of x.
        width = bits + (not self.x.signed) + self.digits - 1
        registers = accumulator + tree_flip_flops(simd * self.digits, width)
        # Where thresholds hold the start value, the accumulator's reset to zero takes LUTs of its own; without
        # accumulation nothing is added then (measured: 26 and 15 LUTs for one lane of 4 bits, 11 bits of sum).
        # So does a start value that is added; ternary lanes leave that out, as frozen before the first blind set.
        if self.mac.fan_in == simd:
            adder = accumulator if self.unit.threshold is None else 0
        else:
            adder = accumulator if self.unit.threshold is None and self.digits == 1 else 2 * accumulator
        logic = adder + tree(simd * self.digits, bits, width) - simd * measured.DIGIT_SHARING[self.digits]
        return Resources(logic=logic, ff=registers).times(self.fold.pe)

    def thresholds(self, threshold: Threshold) -> Resources:
        return threshold_lanes(threshold, self.fold.pe)


class ThresholdCost(UnitCost):
    """Thresholds on a stream: PE channels per cycle."""

    def parts(self) -> dict[str, Resources]:
        assert isinstance(self.unit.layer, Threshold)
        counter = clog2(self.blocks)
        bits = self.fold.pe * self.x.bits
        select = Resources(logic=bits * multiplexer(self.blocks) + 2 * counter + 3, ff=counter)
        return {"select": select, "thresholds": threshold_lanes(self.unit.layer, self.fold.pe), **super().parts()}


class PoolCost(WindowedCost):
    """A tree of maxima over the window, PE channels per cycle."""

    def parts(self) -> dict[str, Resources]:
        taps = self.slide.span[0] * self.slide.span[1]
        maxima = (taps - 1) * maximum(self.x.bits)
        lanes = Resources(logic=maxima * self.fold.pe, ff=self.x.bits * self.fold.pe)
        parts = {"operands": self.operands(taps * self.fold.pe), "lanes": lanes, "control": self.sequencer(1)}
        return parts | super().parts()


class ElementCost(UnitCost):
    """One adder per lane behind multiplexers from the beat: add, bias, negation, global sum."""

    def parts(self) -> dict[str, Resources]:
        return {"select": self.select(), "adders": self.adders(), "constants": self.constants(), **super().parts()}

    def select(self) -> Resources:
        """PE channels of every input, and the counter of the steps of a beat."""
        bits, counter = sum(t.format.bits for t in self.unit.inputs) * self.fold.pe, clog2(self.blocks)
        return Resources(logic=bits * multiplexer(self.blocks) + counter, ff=counter)

    def adders(self) -> Resources:
        """An adder has no LUT for its carry out; a negation none for its top bit, a global sum one for every bit."""
        layer, bits = self.unit.layer, max(t.format.bits for t in self.unit.inputs)
        if isinstance(layer, GlobalSum):
            counter = clog2(layer.input.shape.pixels)
            logic = self.unit.output.format.bits * self.fold.pe + measured.PIXEL_COUNTER_LUTS * counter
            return Resources(logic=logic, ff=counter)
        return Resources(logic=(bits - isinstance(layer, Negate)) * self.fold.pe)

    def constants(self) -> Resources:
        """The ROM of a bias or of signs, one word per step, and the counter that addresses it."""
        layer, counter = self.unit.layer, clog2(self.blocks)
        if not isinstance(layer, (Bias, Negate)) or not counter:
            return Resources()
        values = layer.values if isinstance(layer, Bias) else (layer.signs < 0).astype(np.int64)
        bits = 1 if isinstance(layer, Negate) else smallest_format(min(-1, int(values.min())), int(values.max())).bits
        table = rom(as_bits(values.reshape(self.blocks, self.fold.pe), bits))
        return table.plus(Resources(logic=2 * counter + 1, ff=counter))


class WireCost(UnitCost):
    """A shift or a concatenation: wires, and the handshake of all inputs."""

    def parts(self) -> dict[str, Resources]:
        return {
            "handshake": Resources(logic=len(self.unit.inputs) if len(self.unit.inputs) > 1 else 0),
            "fifo": self.fifo(),
        }


COSTS: dict[type[Layer], type[UnitCost]] = {
    **dict.fromkeys((Conv, Dense), MacCost),
    Threshold: ThresholdCost,
    MaxPool: PoolCost,
    **dict.fromkeys((Add, Bias, Negate, GlobalSum), ElementCost),
    **dict.fromkeys((Shift, Concat), WireCost),
}
"""The price of each kind of unit."""


def cost(network: Network, unit: Unit, fold: Fold, depths: Depths, family: str) -> UnitCost:
    """The cost class of a unit under a folding; `depths` of its input FIFOs, the least ones where not given."""
    return COSTS[type(unit.layer)](network, unit, fold, depths, family)

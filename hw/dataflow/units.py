"""Hardware units: what one dataflow process computes, and how it is folded in time.

A unit is one layer of the integer graph, or a MAC layer fused with the threshold that alone consumes its sums (the
accumulators of PE lanes are thresholded as they complete, so wide sums never enter a FIFO). Every unit reads and
writes one pixel (all channels) per beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hw.ir.graph import Network
from hw.ir.layers import Concat, Conv, Flatten, Layer, Mac, Shift, Tensor, Threshold

ROM_STYLES = ("auto", "lut", "bram")


class Fold(NamedTuple):
    """PE output channels and SIMD inputs per clock cycle. Units without a MAC have SIMD 1: PE channels per cycle.

    `rom` is where the weights lie, one of `ROM_STYLES`; "auto" leaves it to their size (hw.cost.primitives).
    """

    pe: int
    simd: int = 1
    rom: str = "auto"


@dataclass(frozen=True, eq=False)
class Unit:
    """One process of the dataflow pipeline: `layer`, then `threshold` on its results if there is one."""

    layer: Layer
    threshold: Threshold | None = None

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return self.layer.inputs

    @property
    def output(self) -> Tensor:
        return (self.threshold or self.layer).output

    @property
    def quantizer(self) -> Threshold | None:
        """The thresholds that give the unit's codes: those on its sums, or the layer itself."""
        return self.threshold or (self.layer if isinstance(self.layer, Threshold) else None)

    @property
    def is_wires(self) -> bool:
        """A shift or a concatenation: no register and no step of its own."""
        return isinstance(self.layer, (Shift, Concat))

    @property
    def fan_in(self) -> int:
        return self.layer.fan_in if isinstance(self.layer, Mac) else 1

    def legal_folds(self) -> list[Fold]:
        """The foldings that can be built: PE divides the output channels, SIMD the products per output.

        With groups, PE also divides a group's output channels or is a multiple of them.
        """
        pes = divisors(self.output.shape.c)
        if isinstance(self.layer, Conv) and self.layer.groups > 1:
            per_group = self.output.shape.c // self.layer.groups
            pes = [pe for pe in pes if pe % per_group == 0 or per_group % pe == 0]
        return [Fold(pe, simd) for pe in pes for simd in divisors(self.fan_in)]

    def reuse_factor(self, fold: Fold) -> int:
        """Cycles per output pixel: (fan_in / SIMD) · (channels / PE), hls4ml's ReuseFactor."""
        return (self.fan_in // fold.simd) * (self.output.shape.c // fold.pe)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def units(network: Network) -> list[Unit]:
    """The units of `network` in topological order. Flatten is no unit: it only renames the stream."""
    fused: set[str] = set()
    result = []
    for layer in network:
        if isinstance(layer, Flatten) or layer.name in fused:
            continue
        threshold = None
        if isinstance(layer, Mac) and layer.output is not network.output:
            consumers = network.consumers(layer.output)
            if len(consumers) == 1 and isinstance(consumers[0], Threshold):
                threshold = consumers[0]
                fused.add(threshold.name)
        result.append(Unit(layer, threshold))
    return result

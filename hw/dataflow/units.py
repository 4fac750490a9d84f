"""Hardware units: what one dataflow process computes, and how it is folded in time.

A unit is one layer of the integer graph, or a MAC layer fused with the threshold that alone consumes its sums (the
accumulators of PE lanes are thresholded as they complete, so wide sums never enter a FIFO). Every unit reads and
writes one pixel (all channels) per beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hw.ir.graph import Network
from hw.ir.layers import Flatten, Layer, Mac, Tensor, Threshold

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
    def fan_in(self) -> int:
        return self.layer.fan_in if isinstance(self.layer, Mac) else 1

    def legal_folds(self) -> list[Fold]:
        """Every (PE, SIMD) with PE dividing the output channels and SIMD dividing the products per output."""
        return [Fold(pe, simd) for pe in divisors(self.output.shape.c) for simd in divisors(self.fan_in)]

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

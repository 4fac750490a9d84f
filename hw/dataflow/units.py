"""Hardware units: what one dataflow process computes, and how it is folded in time.

A unit is one layer of the integer graph, or a layer fused with the threshold that alone consumes its sums (the
accumulators of PE lanes are thresholded as they complete, so wide sums never enter a FIFO). A unit reads and writes
beats of some channels of a pixel (`crq.hw.dataflow.beats`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from crq.hw.ir.digits import MOST_UNROLLED, nonzero_digits
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Add, ArgMax, Concat, Conv, Dense, Flatten, Layer, Mac, MaxPool, Shift, Tensor, Threshold

ROM_STYLES = ("auto", "lut", "bram")
PARALLEL, FOLDED = FORMS = ("parallel", "folded")


class Fold(NamedTuple):
    """PE output channels and SIMD inputs per clock cycle. Units without a MAC have SIMD 1: PE channels per cycle.

    `rom` is where the weights lie, one of `ROM_STYLES`; "auto" leaves it to their size (crq.hw.dataflow.memory). `form`
    is that of a windowed unit: "parallel" keeps its window in registers and reads whole pixels, "folded" keeps it in
    one memory and reads SIMD channels per beat.

    The rest is registers, which the clock that is wanted asks for (crq.hw.fold.levels). `levels`: of a tree of
    two-input adders between two registers, where all weights are built in. `fetch`: registers between memories and what
    computes on their words. `quick`, 0 or 1: registers inside of thresholds (behind comparators, in front of a
    rounding, behind the entries of a search) and in the flags of the FIFOs in front of the unit.
    """

    pe: int
    simd: int = 1
    rom: str = "auto"
    form: str = PARALLEL
    levels: int = 2
    fetch: int = 0
    quick: int = 0


@dataclass(frozen=True, eq=False)
class Unit:
    """One process of the dataflow pipeline: `layer`, then `threshold` on its results if there is one.

    `sources` are the tensors whose beats carry its inputs: of a flattened image, the image.
    """

    layer: Layer
    sources: tuple[Tensor, ...]
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
        """A shift: no register and no step of its own."""
        return isinstance(self.layer, Shift)

    @property
    def is_windowed(self) -> bool:
        """Whether it gathers several pixels of its input before it computes."""
        return isinstance(self.layer, (Conv, Dense, MaxPool))

    @property
    def fan_in(self) -> int:
        """Values of a pixel that an output channel is made of, where SIMD of them are taken at once."""
        if isinstance(self.layer, ArgMax):
            return self.sources[0].shape.c
        return self.layer.fan_in if isinstance(self.layer, Mac) else 1

    @property
    def is_lanewise(self) -> bool:
        """Whether each output channel reads its own input channel alone: a depthwise convolution or a pool."""
        layer = self.layer
        return isinstance(layer, MaxPool) or (
            isinstance(layer, Conv) and layer.groups == self.sources[0].shape.c == self.output.shape.c
        )

    def legal_folds(self) -> list[Fold]:
        """The foldings that can be built, of both forms.

        Parallel: PE divides the output channels, SIMD the products per output; with groups, PE also divides a group's
        output channels or is a multiple of them; all of both only where the weights are few enough to be built in.
        Folded: SIMD divides the channels of a group, PE its output channels; where every channel stands alone, PE are
        those of a beat, and SIMD is 1. An argmax compares SIMD channels at once.
        """
        pes = divisors(self.output.shape.c)
        if isinstance(self.layer, Concat):
            joined = gcd(*(t.shape.c for t in self.sources))
            return [Fold(pe) for pe in pes if joined % pe == 0 or pe == pes[-1]]
        if isinstance(self.layer, ArgMax):
            return [Fold(1, simd) for simd in divisors(self.fan_in)]
        if not self.is_windowed:
            return [Fold(pe) for pe in pes]
        return self._parallel(pes) + self._folded(pes)

    def _parallel(self, pes: list[int]) -> list[Fold]:
        groups = self.layer.groups if isinstance(self.layer, Mac) else 1
        per_group = self.output.shape.c // groups
        if groups > 1:
            pes = [pe for pe in pes if pe % per_group == 0 or per_group % pe == 0]
        folds = [Fold(pe, simd) for pe in pes for simd in divisors(self.fan_in)]
        return folds if self.can_unroll else [f for f in folds if not self.is_unrolled(f)]

    def _folded(self, pes: list[int]) -> list[Fold]:
        if self.is_lanewise:
            return [Fold(pe, form=FOLDED) for pe in pes]
        groups = self.layer.groups if isinstance(self.layer, Mac) else 1
        per_group = self.output.shape.c // groups
        simds = divisors(self.sources[0].shape.c // groups)
        return [Fold(pe, simd, form=FOLDED) for pe in pes if per_group % pe == 0 for simd in simds]

    @property
    def can_unroll(self) -> bool:
        """Whether its weights are few enough to be built in."""
        return not isinstance(self.layer, Mac) or nonzero_digits(self.layer) <= MOST_UNROLLED

    def is_unrolled(self, fold: Fold) -> bool:
        """Whether all weights are built into an adder graph: everything is computed in one cycle."""
        return isinstance(self.layer, Mac) and fold.form != FOLDED and self.reuse_factor(fold) == 1

    def reuse_factor(self, fold: Fold) -> int:
        """Cycles per output pixel: (fan_in / SIMD) · (channels / PE), hls4ml's ReuseFactor; a folded pool takes one
        per tap."""
        taps = self.layer.kernel[0] * self.layer.kernel[1] if isinstance(self.layer, MaxPool) else self.fan_in
        per_channel = taps if fold.form == FOLDED else self.fan_in
        return (per_channel // fold.simd) * (self.output.shape.c // fold.pe)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@lru_cache(maxsize=16)  # facts of a unit under a folding are remembered by the unit
def units(network: Network) -> tuple[Unit, ...]:
    """The units of `network` in topological order. Flatten is no unit: it only renames the stream."""
    fused: set[str] = set()
    result = []
    for layer in network:
        if isinstance(layer, Flatten) or layer.name in fused:
            continue
        threshold = None
        if isinstance(layer, (Mac, Add)) and layer.output not in network.outputs:
            consumers = network.consumers(layer.output)
            if len(consumers) == 1 and isinstance(consumers[0], Threshold):
                threshold = consumers[0]
                fused.add(threshold.name)
        result.append(Unit(layer, tuple(network.carried(t) for t in layer.inputs), threshold))
    return tuple(result)

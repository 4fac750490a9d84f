"""Beats: how many channels of a pixel pass a stream at once, and what joins streams of different beats."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import ArgMax, Concat, Enlarge

# A beat of more bits makes wide FIFOs and long wires; AXI DMA takes words of up to as many.
MAX_BEAT_BITS = 1024
# HLS tools take no wider port or stream (AMD UG1399).
LIMIT_BEAT_BITS = 4096


def beats_in(unit: Unit, fold: Fold) -> tuple[int, ...]:
    """Channels per beat of each input."""
    channels = tuple(t.shape.c for t in unit.sources)
    if unit.is_windowed:
        if fold.form != FOLDED:
            return channels
        return (fold.pe if unit.is_lanewise else fold.simd,)
    if isinstance(unit.layer, Concat) and fold.pe == unit.output.shape.c:
        return channels
    if isinstance(unit.layer, Enlarge):
        return (fold.pe * unit.layer.parts,)
    if isinstance(unit.layer, ArgMax):
        return (fold.simd,)
    return (fold.pe,) * len(channels)


def beat_out(unit: Unit, fold: Fold) -> int:
    """Channels per beat of the result: the PE lanes that finish together."""
    return fold.pe


def widest(unit: Unit, fold: Fold) -> int:
    """Bits of the widest beat at the unit."""
    inputs = zip(beats_in(unit, fold), unit.sources, strict=True)
    return max(beat_out(unit, fold) * unit.output.format.bits, *(n * t.format.bits for n, t in inputs))


def stream_beats(network: Network, folds: Mapping[str, Fold]) -> dict[str, int]:
    """Tensor name to the channels per beat of its stream: those its producer gives. An input of the network comes as
    its first reader wants it."""
    result: dict[str, int] = {}
    for unit in units(network):
        for tensor, beat in zip(unit.sources, beats_in(unit, folds[unit.name]), strict=True):
            if tensor in network.inputs:
                result.setdefault(tensor.name, beat)
        result[unit.output.name] = beat_out(unit, folds[unit.name])
    return result


def conversion(given: int, wanted: int) -> tuple[int, int]:
    """(n, m): a stream of `given` channels per beat is cut into n parts per beat, then m parts make a beat of `wanted`.

    (1, 1) where both are equal.
    """
    part = gcd(given, wanted)
    return given // part, wanted // part

"""The layers of layers.py: what is built, its folding, the beats it is given and the depths of its FIFOs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from qonnx.core.datatype import DataType

from crq.hw.cost import parallel
from crq.hw.cost.network import estimate_unit
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.streams import Depths
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from crq.hw.rtl.parallel import generate_parallel_unit
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder

SEEDS = {"fit": 4100, "blind": 9700}
UNROLLED_SEEDS = {"fit": 4600, "blind": 11300}
# Share of all possible sums over which the thresholds of a channel lie; in trained networks a few hundredths of it.
SPREADS, UNROLLED_SPREADS = (0.25, 0.7), {"fit": (0.25, 0.7), "blind": (0.03, 0.4)}
Build = Callable[[GraphBuilder], str]
SAME = (1, 1, 1, 1)


class Layer(NamedTuple):
    """A unit with the streams in front of it; or, without a folding, unrolled over all pixels."""

    name: str
    unit: Unit
    fold: Fold | None = None
    given: tuple[int, ...] = ()
    depths: Depths = MappingProxyType({})

    def design(self, family: str) -> Design:
        if self.fold is None:
            return generate_parallel_unit(self.unit, family)
        return generate_unit(self.unit, self.fold, self.given, self.depths, family)

    def estimate(self, family: str) -> Resources:
        if self.fold is None:
            return Resources().plus(*parallel.parts(self.unit, family).values()).rounded()
        return estimate_unit(self.unit, self.fold, self.given, self.depths, family).total


Row = tuple[tuple[int, ...], str, Build, Fold, tuple[int, ...], tuple[int, ...]]
"""Shape and type of the input, what is built on it, its folding, channels per beat given, depths of FIFOs."""


def layers(which: str) -> Iterator[Layer]:
    """Every layer of a set, each with weights and thresholds drawn by its place in it."""
    for n, (shape, dtype, build, fold, given, depths) in enumerate(SETS[which]()):
        unit = _unit(shape, dtype, build, SEEDS[which] + n)
        if fold not in unit.legal_folds():
            raise ValueError(f"{which}{n}: {fold} is no folding of {unit.name}")
        yield Layer(f"{which}{n}", unit, fold, given, {(unit.name, i): d for i, d in enumerate(depths)})
    for n, (shape, dtype, build) in enumerate(UNROLLED[which]()):
        yield Layer(f"{which}_u{n}", _unit(shape, dtype, build, UNROLLED_SEEDS[which] + n, UNROLLED_SPREADS[which]))


def _unit(
    shape: tuple[int, ...], dtype: str, build: Build, seed: int, spreads: tuple[float, float] = SPREADS
) -> Unit:  # fmt: skip
    g = GraphBuilder(shape, dtype, seed)
    g.spreads = spreads
    return units(Network(g.finish(build(g))))[-1]


def folded(pe: int, simd: int = 1) -> Fold:
    return Fold(pe, simd, form=FOLDED)


def codes(g: GraphBuilder, x: str, bits: int, signed: bool = False) -> str:
    """Thresholds as batch normalisation gives them: a progression per channel, about the middle of its sums."""
    channels = g.shapes[x][1]
    if x == "x":
        lo, hi = (np.full(channels, end(), np.float64) for end in (DataType[g.types[x]].min, DataType[g.types[x]].max))
    else:
        tensor = Network(g.finish(x)).outputs[0]
        lo, hi = tensor.lo.astype(np.float64), tensor.hi.astype(np.float64)
    count, spread = (1 << bits) - 1, (hi - lo) * g.rng.uniform(*g.spreads, channels)
    centre = (lo + hi) / 2 + spread * g.rng.uniform(-0.3, 0.3, channels)
    places = (np.arange(1, count + 1) - (count + 1) / 2) / (count + 1)
    table = np.ceil(centre[:, None] + spread[:, None] * places).astype(np.int64)
    return g.threshold(x, bits, signed, table=table)


def power(g: GraphBuilder, x: str, bits: int, shift: int) -> str:
    """Thresholds of a division by a power of two, rounded half to even; equal for all channels."""
    k = np.arange(1, 1 << bits)
    row = (k << shift) - (1 << shift >> 1) + (k & 1)
    return g.threshold(x, bits, table=np.repeat(row[None], g.shapes[x][1], axis=0))


def conv(o: int, kernel: int = 3, weights: str = "TERNARY", bits: int = 4, signed: bool = False,
         irregular: bool = False, **options) -> Build:  # fmt: skip
    def build(g: GraphBuilder) -> str:
        x = g.conv("x", o, (kernel, kernel), weight_type=weights, **options)
        if not bits:
            return x
        return g.threshold(x, bits, signed) if irregular else codes(g, x, bits, signed)

    return build


def dense(o: int, weights: str = "TERNARY", bits: int = 0) -> Build:
    def build(g: GraphBuilder) -> str:
        x = g.matmul(g.flatten("x"), o, weights)
        return codes(g, x, bits) if bits else x

    return build


def pool(kernel: int = 2, stride: int = 2, pads: tuple[int, ...] | None = None) -> Build:
    return lambda g: g.max_pool("x", (kernel, kernel), (stride, stride), pads)


def added(bits: int = 0, shift: int = 0, aligned: int = 0) -> Build:
    def build(g: GraphBuilder) -> str:
        x = g.add(g.shift("x", aligned) if aligned else "x", "x")
        if not bits:
            return x
        return power(g, x, bits, shift) if shift else codes(g, x, bits)

    return build


def fit() -> list[Row]:
    return ternary_fit() + other_fit()


def ternary_fit() -> list[Row]:
    return [
        # Ternary sums, folded.
        ((16, 32, 32), "UINT4", conv(16, pads=SAME), folded(4, 4), (4,), (0,)),
        ((16, 32, 32), "UINT4", conv(16, bits=8, signed=True, pads=SAME), folded(4, 4), (2,), (0,)),
        ((16, 16, 16), "UINT4", conv(32, strides=(2, 2), pads=SAME), folded(2, 4), (4,), (2,)),
        ((32, 8, 8), "UINT4", conv(32, pads=SAME), folded(4, 4), (8,), (0,)),
        ((8, 12, 12), "UINT4", conv(8, pads=SAME), folded(2, 2), (1,), (0,)),
        ((3, 16, 16), "UINT8", conv(16, pads=SAME), folded(1, 3), (3,), (0,)),
        ((3, 28, 28), "UINT8", conv(8, pads=SAME), folded(4, 1), (3,), (2,)),
        ((16, 16, 16), "UINT4", conv(32, 1, bits=8, signed=True, strides=(2, 2)), folded(1, 1), (4,), (27,)),
        ((32, 16, 16), "UINT4", conv(64, 1, bits=8, signed=True), folded(1, 2), (2,), (0,)),
        ((16, 8, 8), "UINT2", conv(16, bits=2, pads=SAME), folded(8, 8), (16,), (0,)),
        ((16, 8, 8), "UINT4", conv(16, irregular=True, pads=SAME), folded(8, 16), (16,), (0,)),
        ((8, 9, 9), "INT4", conv(12, 5, pads=(2, 2, 2, 2)), folded(3, 4), (4,), (2,)),
        ((8, 10, 10), "UINT4", conv(8, group=8, pads=SAME), folded(2), (2,), (0,)),
        ((16, 8, 8), "UINT4", conv(16, group=16, strides=(2, 2), pads=SAME), folded(4), (16,), (2,)),
        ((8, 10, 10), "UINT4", conv(8, group=2, pads=SAME), folded(2, 2), (2,), (0,)),
        ((12, 10, 10), "UINT4", conv(8, dilations=(2, 2), pads=(2, 2, 2, 2)), folded(4, 3), (3,), (0,)),
        ((64, 1, 1), "UINT4", dense(10), folded(1, 1), (4,), (0,)),
        ((16, 4, 4), "UINT2", dense(32, bits=2), folded(2, 4), (4,), (2,)),
        ((32, 4, 4), "UINT4", dense(10), folded(2, 8), (8,), (0,)),
        ((8, 8, 8), "UINT4", conv(16, bits=8, pads=SAME), folded(2, 8), (4,), (0,)),
        ((16, 6, 6), "UINT4", conv(16, bits=3, pads=SAME), folded(16, 16), (16,), (0,)),
        ((16, 6, 6), "UINT4", conv(32, 1), folded(8, 16), (4,), (0,)),
        ((4, 10, 10), "UINT8", conv(8, bits=0), folded(2, 4), (1,), (0,)),
        # Ternary sums, parallel.
        ((3, 8, 8), "UINT8", conv(8, pads=SAME), Fold(2, 3), (3,), (0,)),
        ((8, 8, 8), "UINT4", conv(16, pads=SAME), Fold(4, 8), (8,), (0,)),
        ((16, 8, 8), "UINT4", conv(16, pads=SAME), Fold(1, 16), (4,), (0,)),
        ((4, 9, 9), "UINT2", conv(8, bits=2), Fold(8, 12), (4,), (2,)),
        ((8, 8, 8), "UINT4", conv(8, group=8, pads=SAME), Fold(2, 3), (8,), (0,)),
        ((3, 8, 8), "UINT8", conv(8, pads=SAME), Fold(8, 27), (3,), (0,)),
        ((4, 6, 6), "UINT2", conv(8, bits=2), Fold(8, 36), (2,), (0,)),
        ((64, 1, 1), "UINT4", dense(10), Fold(2, 8), (64,), (0,)),
        ((4, 8, 8), "UINT4", conv(6, bits=0, strides=(2, 2)), Fold(3, 6), (4,), (2,)),
        ((2, 8, 8), "UINT4", conv(4, bits=8, pads=SAME), Fold(4, 18), (2,), (0,)),
        ((8, 7, 7), "UINT4", conv(8, 1, bits=0), Fold(8, 8), (8,), (0,)),
    ]  # fmt: skip


def other_fit() -> list[Row]:
    return [
        # Integer sums.
        ((3, 10, 10), "UINT8", conv(8, weights="INT8", pads=SAME), folded(2, 3), (3,), (0,)),
        ((8, 8, 8), "UINT4", conv(8, weights="INT4", pads=SAME), folded(2, 4), (4,), (0,)),
        ((32, 1, 1), "UINT4", dense(10, "INT8"), folded(1, 2), (4,), (2,)),
        ((3, 8, 8), "UINT8", conv(8, weights="INT8", pads=SAME), Fold(2, 3), (3,), (0,)),
        ((2, 6, 6), "UINT4", conv(4, weights="INT4"), Fold(4, 18), (2,), (0,)),
        # The others.
        ((16, 12, 12), "UINT4", pool(), folded(4), (4,), (0,)),
        ((16, 12, 12), "UINT2", pool(3, 2, SAME), folded(2), (4,), (0,)),
        ((32, 16, 16), "INT4", pool(), folded(8), (4,), (2,)),
        ((8, 8, 8), "UINT8", pool(), folded(1), (1,), (0,)),
        ((8, 8, 8), "UINT4", pool(), Fold(2), (8,), (0,)),
        ((16, 9, 9), "UINT2", pool(3, 2, SAME), Fold(8), (16,), (0,)),
        ((6, 8, 8), "UINT8", pool(), Fold(6), (3,), (2,)),
        ((16, 8, 8), "UINT4", added(4, 2), Fold(4), (4, 4), (0, 180)),
        ((16, 8, 8), "UINT4", added(4, 3, 2), Fold(4), (2, 4), (0, 0)),
        ((16, 8, 8), "UINT4", added(4), Fold(4), (4, 4), (2, 2)),
        ((16, 8, 8), "INT6", added(), Fold(8), (8, 8), (0, 30)),
        ((16, 8, 8), "UINT8", lambda g: codes(g, "x", 4), Fold(4), (4,), (0,)),
        ((16, 8, 8), "UINT8", lambda g: codes(g, "x", 6), Fold(2), (2,), (2,)),
        ((8, 8, 8), "UINT8", lambda g: codes(g, "x", 4), Fold(8), (8,), (0,)),
        ((16, 8, 8), "UINT10", lambda g: power(g, "x", 8, 2), Fold(4), (4,), (0,)),
        ((32, 8, 8), "UINT4", lambda g: g.global_sum("x"), Fold(4), (4,), (0,)),
        ((16, 7, 7), "INT4", lambda g: g.global_sum("x"), Fold(16), (8,), (0,)),
        ((32, 4, 4), "UINT8", lambda g: g.bias("x"), Fold(4), (4,), (0,)),
        ((10, 1, 1), "INT12", lambda g: g.bias("x"), Fold(1), (1,), (2,)),
        ((16, 6, 6), "UINT8", lambda g: g.negate("x"), Fold(2), (2,), (0,)),
        ((12, 6, 6), "UINT4", lambda g: g.concat("x", "x"), Fold(24), (12, 6), (2, 30)),
        ((12, 6, 6), "UINT4", lambda g: g.concat("x", "x"), Fold(4), (4, 4), (0, 0)),
    ]  # fmt: skip


def blind() -> list[Row]:
    return [
        ((24, 20, 20), "UINT4", conv(24, pads=SAME), folded(4, 4), (4,), (0,)),
        ((16, 24, 24), "UINT4", conv(24, bits=8, signed=True, pads=SAME), folded(2, 4), (4,), (2,)),
        ((12, 18, 18), "UINT4", conv(24, strides=(2, 2), pads=SAME), folded(4, 4), (2,), (0,)),
        ((32, 12, 12), "UINT2", conv(16, bits=2, pads=SAME), folded(4, 8), (8,), (0,)),
        ((3, 20, 20), "UINT8", conv(12, pads=SAME), folded(2, 3), (1,), (0,)),
        ((24, 12, 12), "UINT4", conv(48, 1, bits=8, signed=True, strides=(2, 2)), folded(1, 2), (4,), (18,)),
        ((20, 14, 14), "UINT4", conv(20, 1), folded(4, 5), (5,), (0,)),
        ((8, 16, 16), "UINT4", conv(8, 5, pads=(2, 2, 2, 2)), folded(1, 4), (4,), (0,)),
        ((12, 8, 8), "UINT3", conv(12, bits=3), folded(6, 12), (12,), (2,)),
        ((12, 14, 14), "UINT4", conv(12, group=12, pads=SAME), folded(3), (3,), (0,)),
        ((12, 8, 8), "UINT4", conv(24, group=3, pads=SAME), folded(2, 4), (4,), (0,)),
        ((96, 1, 1), "UINT4", dense(12), folded(1, 2), (4,), (0,)),
        ((24, 3, 3), "UINT2", dense(24, bits=2), folded(4, 8), (8,), (2,)),
        ((16, 10, 10), "UINT4", conv(16, irregular=True, pads=SAME), folded(2, 8), (8,), (0,)),
        ((6, 14, 14), "INT5", conv(10, bits=5, pads=SAME), folded(5, 6), (3,), (0,)),
        ((16, 9, 9), "UINT4", conv(8, bits=0), folded(4, 8), (4,), (0,)),
        ((4, 10, 10), "UINT4", conv(12, pads=SAME), Fold(3, 4), (4,), (0,)),
        ((12, 7, 7), "UINT4", conv(12, bits=2), Fold(4, 12), (12,), (2,)),
        ((6, 8, 8), "UINT3", conv(12, 2, bits=3), Fold(12, 12), (3,), (0,)),
        ((10, 8, 8), "UINT4", conv(10, group=10, pads=SAME), Fold(5, 9), (10,), (0,)),
        ((2, 9, 9), "UINT8", conv(6, pads=SAME), Fold(6, 18), (2,), (0,)),
        ((6, 6, 6), "UINT2", conv(6, bits=2), Fold(6, 54), (6,), (0,)),
        ((48, 1, 1), "UINT4", dense(8), Fold(4, 6), (16,), (0,)),
        ((1, 12, 12), "UINT8", conv(6, weights="INT8", pads=SAME), folded(2, 1), (1,), (0,)),
        ((6, 9, 9), "UINT4", conv(12, weights="INT6", pads=SAME), folded(3, 6), (6,), (0,)),
        ((40, 1, 1), "UINT4", dense(10, "INT8"), folded(2, 4), (4,), (2,)),
        ((2, 9, 9), "UINT8", conv(6, weights="INT8"), Fold(3, 6), (2,), (0,)),
        ((2, 6, 6), "UINT4", conv(5, weights="INT5"), Fold(5, 18), (2,), (0,)),
        ((24, 10, 10), "UINT4", pool(), folded(3), (3,), (0,)),
        ((12, 13, 13), "UINT3", pool(3, 2, SAME), folded(4), (2,), (0,)),
        ((12, 8, 8), "UINT4", pool(), Fold(4), (12,), (0,)),
        ((24, 6, 6), "UINT4", added(4, 2), Fold(6), (6, 6), (2, 120)),
        ((12, 8, 8), "INT8", added(4), Fold(3), (3, 3), (0, 0)),
        ((24, 7, 7), "UINT6", lambda g: codes(g, "x", 4), Fold(8), (4,), (0,)),
        ((20, 6, 6), "UINT9", lambda g: codes(g, "x", 8), Fold(5), (5,), (0,)),
        ((24, 6, 6), "UINT12", lambda g: power(g, "x", 4, 7), Fold(8), (8,), (0,)),
        ((48, 6, 6), "UINT4", lambda g: g.global_sum("x"), Fold(8), (4,), (0,)),
        ((24, 4, 4), "INT9", lambda g: g.bias("x"), Fold(6), (6,), (0,)),
        ((20, 5, 5), "UINT6", lambda g: g.negate("x"), Fold(5), (5,), (2,)),
        ((8, 6, 6), "UINT4", lambda g: g.concat("x", "x"), Fold(2), (2, 2), (0, 40)),
    ]  # fmt: skip


SETS: dict[str, Callable[[], list[Row]]] = {"fit": fit, "blind": blind}


Pixels = tuple[tuple[int, ...], str, Build]
"""Shape and type of the input, and what is built on it, unrolled over all pixels."""


def unrolled_fit() -> list[Pixels]:
    return [
        ((16, 1, 1), "UINT4", dense(12, bits=4)),
        ((40, 1, 1), "UINT4", dense(8, bits=4)),
        ((32, 1, 1), "UINT4", dense(5)),
        ((1, 4, 4), "UINT8", conv(5, pads=SAME)),
        ((4, 4, 4), "UINT4", conv(4, pads=SAME)),
        ((8, 3, 3), "UINT2", conv(6, bits=2, pads=SAME)),
        ((4, 4, 4), "INT4", conv(5, bits=3, signed=True)),
        ((3, 4, 4), "UINT4", conv(4, bits=8)),
        ((4, 4, 4), "UINT4", conv(5, irregular=True)),
        ((2, 4, 4), "UINT4", conv(4, weights="INT4")),
        ((4, 5, 5), "UINT4", conv(6, bits=0, strides=(2, 2), pads=SAME)),
        ((5, 4, 4), "UINT4", conv(5, group=5, pads=SAME)),
        ((6, 6, 6), "UINT4", pool()),
        ((4, 7, 7), "UINT2", pool(3, 2, SAME)),
        ((4, 6, 6), "INT8", pool()),
        ((6, 4, 4), "UINT4", lambda g: g.global_sum("x")),
        ((6, 5, 5), "INT5", lambda g: g.global_sum("x")),
        ((4, 4, 4), "UINT4", added(4)),
        ((4, 4, 4), "UINT4", added(4, 2)),
        ((4, 4, 4), "INT6", added()),
        ((4, 4, 4), "UINT8", lambda g: codes(g, "x", 4)),
        ((4, 4, 4), "UINT8", lambda g: codes(g, "x", 6)),
        ((10, 2, 2), "INT9", lambda g: g.bias("x")),
        ((8, 3, 3), "UINT6", lambda g: g.negate("x")),
    ]  # fmt: skip


def unrolled_blind() -> list[Pixels]:
    return [
        ((24, 1, 1), "UINT4", dense(10, bits=4)),
        ((56, 1, 1), "UINT4", dense(10)),
        ((4, 3, 3), "UINT2", dense(8, bits=2)),
        ((20, 1, 1), "INT5", dense(8, bits=3)),
        ((12, 1, 1), "UINT4", dense(6, "INT8")),
        ((3, 4, 4), "UINT8", conv(5, pads=SAME)),
        ((5, 4, 4), "UINT4", conv(6, pads=SAME)),
        ((6, 4, 5), "UINT3", conv(5, bits=3)),
        ((4, 5, 5), "UINT4", conv(6, strides=(2, 2), pads=SAME)),
        ((6, 4, 4), "UINT4", conv(8, 1)),
        ((6, 4, 4), "UINT4", conv(6, group=6, pads=SAME)),
        ((2, 5, 5), "INT4", conv(5, bits=4, irregular=True)),
        ((3, 4, 4), "UINT4", conv(3, bits=6, signed=True)),
        ((1, 4, 4), "UINT8", conv(4, bits=0, weights="INT5")),
        ((5, 4, 4), "UINT4", pool()),
        ((3, 5, 5), "UINT3", pool(3, 2, SAME)),
        ((8, 3, 4), "UINT4", lambda g: g.global_sum("x")),
        ((5, 4, 4), "UINT4", added(4)),
        ((6, 4, 4), "INT8", added()),
        ((5, 4, 4), "UINT6", lambda g: codes(g, "x", 4)),
        ((3, 3, 3), "UINT9", lambda g: codes(g, "x", 8)),
        ((6, 3, 3), "UINT10", lambda g: power(g, "x", 4, 5)),
        ((12, 2, 2), "INT10", lambda g: g.bias("x")),
        ((7, 3, 3), "INT6", lambda g: g.negate("x")),
    ]  # fmt: skip


UNROLLED: dict[str, Callable[[], list[Pixels]]] = {"fit": unrolled_fit, "blind": unrolled_blind}

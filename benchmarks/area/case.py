"""The matrices that every form is built of: random ternary ones, and the layers of a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.dataflow.units import units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Format, Mac, smallest_format
from crq.hw.read.origin import load_graph

Matrix = NDArray[np.int64]  # (inputs, outputs)


class Case(NamedTuple):
    """y = x @ matrix for codes x of [lo, hi]."""

    name: str
    matrix: Matrix
    lo: int
    hi: int

    @property
    def format(self) -> Format:
        """Of an input."""
        return smallest_format(self.lo, self.hi)

    @property
    def out(self) -> Format:
        """One format that holds every sum."""
        positive, negative = self.matrix.clip(min=0).sum(0), self.matrix.clip(max=0).sum(0)
        least = positive * self.lo + negative * self.hi
        return smallest_format(min(int(least.min()), -1), int((positive * self.hi + negative * self.lo).max()))

    def __str__(self) -> str:
        kind = "signed" if self.format.signed else "unsigned"
        return f"{self.name}, {self.format.bits}-bit {kind} inputs, {np.mean(self.matrix == 0):.0%} zeros"


def random_case(size: str, bits: int, zeros: float, seed: int) -> Case:
    """Ternary, of INxOUT, with a share of `zeros`; inputs are signed."""
    inputs, outputs = (int(n) for n in size.split("x"))
    rng = np.random.default_rng(seed)
    matrix = rng.choice([-1, 0, 1], (inputs, outputs), p=[(1 - zeros) / 2, zeros, (1 - zeros) / 2])
    return Case(size, matrix, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def eight_bit(case: Case, seed: int) -> Case:
    """The same shape with 8-bit weights."""
    weights = np.random.default_rng(seed).integers(-127, 128, case.matrix.shape)
    return Case(f"{case.name}, 8-bit weights", weights, case.lo, case.hi)


def layer_cases(file: Path) -> Iterator[Case]:
    """The matrix of every convolution and dense layer of a QONNX file, a convolution's as of one pixel."""
    for unit in units(Network(load_graph(file)[0])):
        layer = unit.layer
        if isinstance(layer, Mac) and layer.groups == 1:
            weights = layer.weights.astype(np.int64).reshape(len(layer.weights), -1).T
            shape, form = "x".join(map(str, weights.shape)), layer.input.format
            lo, hi = (-(1 << (form.bits - 1)), (1 << (form.bits - 1)) - 1) if form.signed else (0, (1 << form.bits) - 1)
            yield Case(f"{file.stem} {unit.name} {shape}", weights, lo, hi)

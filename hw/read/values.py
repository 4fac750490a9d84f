"""What a tensor of the file is, while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crq.hw.ir.layers import IntArray
from crq.hw.read.chain import Chain

Sizes: TypeAlias = tuple[int, ...]


class Int(NamedTuple):
    """A tensor of the integer graph: `shape` without batch, channels first; [lo, hi] int64 per channel."""

    name: str
    shape: tuple[int, ...]
    lo: IntArray
    hi: IntArray

    @property
    def channels(self) -> int:
        return self.shape[0]


Scale: TypeAlias = "np.floating[Any] | NDArray[np.floating[Any]]"
"""float32 or float64: one for the tensor, or (C,)."""


class Codes(NamedTuple):
    """Integers worth `scale` each."""

    int: Int
    scale: Scale

    @property
    def shape(self) -> Sizes:
        return self.int.shape

    def pending(self) -> Pending:
        """The codes as values that another float operator or quantizer reads."""
        return Pending(self.int, Chain(self.int.channels).then("Mul", np.asarray(self.scale)))


@dataclass(frozen=True)
class Pending:
    """Integers on their way through float operators to a quantizer."""

    int: Int
    chain: Chain

    @property
    def shape(self) -> Sizes:
        return self.int.shape


@dataclass(frozen=True)
class Raw:
    """The float input `port` before its first quantizer; `steps` is what the host does to it, in order.

    A step's constant is (), or one per channel: of `shape`, or of the image that it was before it was flattened.
    `ends`: the range of the input's type, where that is integers. `pads` (begins, then ends) of `shape` are zeros that
    the file has put around the pixels since the last step.
    """

    port: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, NDArray[Any]], ...] = field(default=())
    ends: tuple[int, int] | None = None
    pads: tuple[int, ...] = ()
    first: int | None = None  # channel of the whole input that is this part's first; None: it is the whole

    @property
    def unpadded(self) -> Sizes:
        around = [
            a + b for a, b in zip(self.pads[: len(self.pads) // 2], self.pads[len(self.pads) // 2 :], strict=True)
        ]
        return (self.shape[0], *(n - m for n, m in zip(self.shape[1:], around, strict=True))) if around else self.shape


class Levels(NamedTuple):
    """What a QuantizeLinear gives: integers from `low` to `high` of the values `source`, until they are scaled back."""

    source: Codes | Pending | Raw
    scale: Scale
    zero: int
    low: int
    high: int

    @property
    def shape(self) -> Sizes:
        return self.source.shape


class View(NamedTuple):
    """Elements of `source` in another place: `places` (C, …) is which of its elements, counted channels first; -1 is
    zero. `name`: of the node that renumbers them."""

    source: Codes | Pending
    places: IntArray
    name: str

    @property
    def shape(self) -> Sizes:
        return self.places.shape


Value = Codes | Pending | Raw

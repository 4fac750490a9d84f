"""What an adder graph is: exact intervals and widths of every sum, and an interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from crq.hw.ir.layers import Format, IntArray, smallest_format

BLOCK = 64  # inputs that are evaluated at once: every value of a graph is held for each


class Tap(NamedTuple):
    """A value that an adder may take: input element `element`, times 2**`shift`."""

    element: int
    shift: int = 0


class Term(NamedTuple):
    """A value by its number, added or, if `negative`, subtracted."""

    value: int
    negative: bool = False


class Adder(NamedTuple):
    """The sum of two or three terms, of which the first is not negative."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """y = M x as additions. Values are numbered: the taps first, then the sums of the adders, each after its terms.

    `lo`, `hi`: the interval of every input element. `outputs`: the value of each, None where it is always zero.
    """

    lo: tuple[int, ...]
    hi: tuple[int, ...]
    taps: tuple[Tap, ...]
    adders: tuple[Adder, ...]
    outputs: tuple[Term | None, ...]

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """The interval of every value."""
        found = [(self.lo[t.element] << t.shift, self.hi[t.element] << t.shift) for t in self.taps]
        for adder in self.adders:
            ends = [found[v][::-1] if negative else found[v] for v, negative in adder.terms]
            signs = [-1 if t.negative else 1 for t in adder.terms]
            low = sum(s * e[0] for s, e in zip(signs, ends, strict=True))
            found.append((low, sum(s * e[1] for s, e in zip(signs, ends, strict=True))))
        return found

    @cached_property
    def formats(self) -> list[Format]:
        """The narrowest format of every value."""
        return [smallest_format(lo, hi) for lo, hi in self.ranges]

    @cached_property
    def zeros(self) -> list[int]:
        """Lowest bits of every value that synthesis knows to be zero; an adder of three operands hides them."""
        found = [t.shift for t in self.taps]
        for adder in self.adders:
            found.append(min(found[t.value] for t in adder.terms) if len(adder.terms) == 2 else 0)
        return found

    @cached_property
    def levels(self) -> list[int]:
        """Adders from the inputs to every value, at most."""
        found = [0] * len(self.taps)
        for adder in self.adders:
            found.append(1 + max(found[t.value] for t in adder.terms))
        return found

    @property
    def depth(self) -> int:
        """Adders on the longest path."""
        return max(self.levels, default=0)

    @property
    def summary(self) -> str:
        """How large it is, in words."""
        three = sum(len(adder.terms) == 3 for adder in self.adders)
        return f"{len(self.adders)} adders, {three} of them of three operands, on {self.depth} levels"

    def evaluate(self, x: IntArray) -> IntArray:
        """The outputs (N, outputs) of inputs (N, elements)."""
        values = [x[:, tap.element] << tap.shift for tap in self.taps]
        for adder in self.adders:
            values.append(np.sum([-values[v] if negative else values[v] for v, negative in adder.terms], axis=0))
        zero = np.zeros(len(x), np.int64)
        columns = [zero if o is None else -values[o.value] if o.negative else values[o.value] for o in self.outputs]
        return np.stack(columns, axis=1)

    def matrix(self) -> IntArray:
        """The weights (outputs, elements) that the graph multiplies by: as it only adds, they are all it does."""
        elements = len(self.lo)
        blocks = [np.eye(min(BLOCK, elements - e), elements, e, dtype=np.int64) for e in range(0, elements, BLOCK)]
        return np.concatenate([self.evaluate(block) for block in blocks]).T

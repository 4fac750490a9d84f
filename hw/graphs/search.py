"""Finds the adder graph of a matrix. The search is in solver.cpp; what it returns is proved here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crq.hw.errors import HwError
from crq.hw.graphs import kernel
from crq.hw.graphs.answers import Question, answers
from crq.hw.graphs.graph import Adder, Graph, Tap, Term
from crq.hw.ir.digits import MOST_UNROLLED, signed_digits
from crq.hw.ir.layers import IntArray

# Moves of the search per non-zero weight, and their bounds: benchmarks/area shows what more of them would save.
MOVES_PER_WEIGHT, LEAST_MOVES, MOST_MOVES = 4, 500, 10_000
# Beyond these non-zero weights nothing is shared: the search takes minutes, and no device holds such a layer unrolled.
MOST_WEIGHTS = 40_000


def solve(
    matrix: NDArray[np.integer], ranges: Sequence[tuple[int, int]], *, operands: int = 3, levels: int | None = None,
    seed: int = 0, seconds: float | None = None,
) -> Graph:  # fmt: skip
    """The graph of `matrix` (outputs, elements) of small integers, of elements in `ranges` (inclusive).

    Adders have `operands` (2 or 3) operands at most, and no path more than `levels` of them, which must allow a tree of
    the longest row. The same `seed` gives the same graph, unless the search is stopped after `seconds` of CPU.
    Raises `HwError` for arguments out of range, `ToolError` if there is no C++ compiler or too little memory.
    """
    rows = _Rows.of(np.asarray(matrix, np.int64))
    _check(rows, ranges, operands, levels)
    taps = [Tap(int(e), int(k)) for e, k in rows.columns]
    spans = [(ranges[t.element][0] << t.shift, ranges[t.element][1] << t.shift) for t in taps]
    weights = int(np.count_nonzero(rows.signs))
    if weights > MOST_UNROLLED:
        raise HwError(f"{weights:,} non-zero digits of weights; an adder graph has at most {MOST_UNROLLED:,}")
    moves = 0 if seconds else min(MOST_MOVES, max(LEAST_MOVES, MOVES_PER_WEIGHT * weights))
    moves = -1 if weights > MOST_WEIGHTS else moves
    asked = Question(rows.signs, spans, operands, levels or 0, seed, moves, seconds or 0.0)
    for found in answers(asked):
        with suppress(LookupError, ValueError):  # what was stored may be anything
            graph = _graph(found, rows, taps, ranges)
            if np.array_equal(graph.matrix(), matrix):
                return graph
    raise AssertionError("the adder graph is not that of its matrix")


class _Rows(NamedTuple):
    """A matrix as sums of signed columns, each row once: `signs` (rows, columns) in {-1, 0, 1}, the (element, shift) of
    each column, and per output its row, or -1 if it is zero, and sign."""

    signs: NDArray[np.int8]
    columns: IntArray
    outputs: list[tuple[int, int]]

    @classmethod
    def of(cls, matrix: IntArray) -> _Rows:
        digits = signed_digits(matrix)  # (outputs, elements, digit)
        columns = np.argwhere(digits.any(0))
        flat = np.ascontiguousarray(digits[:, columns[:, 0], columns[:, 1]])
        known: dict[bytes, int] = {}
        outputs = []
        for row in flat:
            if not row.any():
                outputs.append((-1, 1))
            elif (opposite := (-row).tobytes()) in known:
                outputs.append((known[opposite], -1))
            else:
                outputs.append((known.setdefault(row.tobytes(), len(known)), 1))
        distinct = np.array([np.frombuffer(row, np.int8) for row in known], np.int8)
        return cls(distinct.reshape(len(known), len(columns)), columns, outputs)


def _check(rows: _Rows, ranges: Sequence[tuple[int, int]], operands: int, levels: int | None) -> None:
    if operands not in (2, 3):
        raise HwError(f"adders of {operands} operands: expected 2 or 3")
    if any(lo > hi for lo, hi in ranges):
        raise HwError("an input's interval is empty")
    longest = int(np.abs(rows.signs).sum(1, dtype=np.int64).max(initial=1))
    if levels is not None and operands**levels < longest:
        raise HwError(f"{levels} levels of adders of {operands} operands hold no sum of {longest} terms")


def _graph(found: kernel.Found, rows: _Rows, taps: list[Tap], ranges: Sequence[tuple[int, int]]) -> Graph:
    adders = []
    for row in found.adders.tolist():
        terms = [Term(row[1 + 2 * k], row[2 + 2 * k] < 0) for k in range(row[0])]
        adders.append(Adder(tuple(sorted(terms, key=lambda t: t.negative))))
    results = found.outputs.tolist()
    outputs = [None if row < 0 else Term(results[row][0], results[row][1] * sign < 0) for row, sign in rows.outputs]
    lo, hi = tuple(r[0] for r in ranges), tuple(r[1] for r in ranges)
    return Graph(lo, hi, tuple(taps), tuple(adders), tuple(outputs))

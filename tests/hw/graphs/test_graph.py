"""What an adder graph says of itself: intervals, widths, levels, and the matrix that it multiplies by."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.graphs import Adder, Graph, Tap, Term, solve
from tests.hw.graphs.test_search import ternary

BY_HAND = Graph(  # y = (x0 + 2 x1 - x2, -(x0 + 2 x1), 0)
    (0, -1, 0), (3, 1, 1), (Tap(0), Tap(1, 1), Tap(2)),
    (Adder((Term(0), Term(1))), Adder((Term(3), Term(2, True)))), (Term(4), Term(3, True), None),
)  # fmt: skip


def test_a_graph_by_hand() -> None:
    assert BY_HAND.ranges == [(0, 3), (-2, 2), (0, 1), (-2, 5), (-3, 5)]
    assert [fmt.qonnx for fmt in BY_HAND.formats] == ["UINT2", "INT3", "UINT1", "INT4", "INT4"]
    assert (BY_HAND.levels, BY_HAND.depth) == ([0, 0, 0, 1, 2], 2)
    assert BY_HAND.evaluate(np.array([[3, -1, 1], [2, 1, 0]])).tolist() == [[0, -1, 0], [4, -4, 0]]
    assert BY_HAND.matrix().tolist() == [[1, 2, -1], [-1, -2, 0], [0, 0, 0]]
    assert BY_HAND.summary == "2 adders, 0 of them of three operands, on 2 levels"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_intervals_are_exact(seed: int) -> None:
    """Over all inputs: no value leaves its interval, and each end is met."""
    matrix = ternary(seed, 4, 5)
    ends = [(-2, 1), (0, 3), (1, 2), (-1, -1), (0, 1)]
    graph = solve(matrix, ends)
    x = np.array(list(product(*(range(lo, hi + 1) for lo, hi in ends))))
    values = [x[:, t.element] << t.shift for t in graph.taps]
    for adder in graph.adders:
        values.append(sum(-values[t.value] if t.negative else values[t.value] for t in adder.terms))
    for value, (lo, hi), fmt in zip(values, graph.ranges, graph.formats, strict=True):
        assert (value.min(), value.max()) == (lo, hi)
        low = -(1 << (fmt.bits - 1)) if fmt.signed else 0
        assert low <= lo
        assert hi < low + (1 << fmt.bits)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]))
def test_one_changed_node_is_caught(seed: int, operands: int) -> None:
    """By the matrix: a sign or an operand of any adder, or of any output."""
    rng = np.random.default_rng(seed)
    graph = solve(ternary(seed % 100, 8, 12), [(0, 15)] * 12, operands=operands)
    changed = mutated(graph, rng)
    assert not np.array_equal(changed.matrix(), graph.matrix())


def mutated(graph: Graph, rng: np.random.Generator) -> Graph:
    """`graph` with one term of one live adder changed."""
    number = int(rng.integers(len(graph.adders)))
    terms = list(graph.adders[number].terms)
    at = int(rng.integers(len(terms)))
    if rng.random() < 0.5:
        terms[at] = Term(terms[at].value, not terms[at].negative)
    else:
        below = [v for v in range(len(graph.taps) + number) if v != terms[at].value]
        terms[at] = Term(int(rng.choice(below)), terms[at].negative)
    adders = [*graph.adders[:number], Adder(tuple(terms)), *graph.adders[number + 1 :]]
    return replace(graph, adders=tuple(adders))

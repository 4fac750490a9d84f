"""Graphs of windows across an edge: the same sums with some inputs zero, in fewer adders."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.graphs import solve
from crq.hw.graphs.graph import Adder, Graph, Tap, Term
from crq.hw.graphs.prune import pruned
from tests.hw.graphs.test_search import ternary


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 17)), st.sampled_from([2, 3]))
def test_the_sums_are_those_of_inputs_that_are_zero(seed: int, zero: set[int], operands: int) -> None:
    matrix = ternary(seed, 5, 18)
    graph = solve(matrix, [(-2, 5)] * 18, operands=operands)
    less = pruned(graph, zero)
    kept = matrix.copy()
    kept[:, sorted(zero)] = 0
    assert np.array_equal(less.matrix(), kept)
    assert len(less.adders) <= len(graph.adders)
    assert all(2 <= len(adder.terms) <= operands and not adder.terms[0].negative for adder in less.adders)
    read = {t.value for a in less.adders for t in a.terms} | {o.value for o in less.outputs if o is not None}
    assert read == set(range(len(less.taps) + len(less.adders)))


def test_nothing_is_left_of_zeros() -> None:
    less = pruned(solve(ternary(0, 4, 6), [(0, 1)] * 6), set(range(6)))
    assert (less.taps, less.adders, less.outputs) == ((), (), (None,) * 4)


def test_adders_that_become_equal_are_one() -> None:
    """a + b + c and a + b + d without c and d."""
    adders = tuple(Adder((Term(0), Term(1), Term(last))) for last in (2, 3))
    graph = Graph((0,) * 4, (3,) * 4, tuple(map(Tap, range(4))), adders, (Term(4), Term(5, True)))
    less = pruned(graph, {2, 3})
    assert less.adders == (Adder((Term(0), Term(1))),)
    assert less.outputs == (Term(2), Term(2, True))

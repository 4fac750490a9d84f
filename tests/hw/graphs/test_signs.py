"""Outputs that are the opposite of a sum: the same matrix, no bit more, and few of them left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hw.graphs import solve
from hw.graphs.graph import Adder, Graph, Tap, Term
from hw.graphs.signs import upright


def bits(graph: Graph) -> tuple[int, int]:
    """Of all sums, and of the opposites that outputs take."""
    opposites = [o.value for o in graph.outputs if o is not None and o.negative]
    return sum(f.bits for f in graph.formats[len(graph.taps) :]), sum(graph.formats[v].bits for v in opposites)


def opposed(seed: int, operands: int) -> Graph:
    """A graph of which every second output is asked for as its opposite."""
    rng = np.random.default_rng(seed)
    matrix = rng.choice([-1, 0, 1], (int(rng.integers(2, 20)), int(rng.integers(6, 40))), p=[0.3, 0.4, 0.3])
    low = -8 * int(rng.integers(0, 2))
    graph = solve(matrix, [(low, low + 15)] * matrix.shape[1], operands=operands)
    turned = [o and Term(o.value, o.negative ^ (k % 2 == 1)) for k, o in enumerate(graph.outputs)]
    return replace(graph, outputs=tuple(turned))


@pytest.mark.parametrize("operands", [2, 3])
def test_the_matrix_stays_and_opposites_go(operands: int) -> None:
    before, after = 0, 0
    for seed in range(12):
        graph = opposed(seed, operands)
        found = upright(graph)
        np.testing.assert_array_equal(found.matrix(), graph.matrix())
        assert all(not a.terms[0].negative for a in found.adders)
        assert sum(bits(found)) <= sum(bits(graph))
        before, after = before + bits(graph)[1], after + bits(found)[1]
    assert after <= 0.35 * before


def test_a_sum_without_a_subtraction_has_no_opposite() -> None:
    """-(a + b) takes its adder and one more, whatever else reads the sum."""
    graph = Graph((0, 0), (3, 3), (Tap(0), Tap(1)), (Adder((Term(0), Term(1))),), (Term(2, True), Term(2)))
    assert upright(graph).outputs == graph.outputs


def test_a_difference_changes_sides_with_what_reads_it() -> None:
    """d = a - b, e = c - d; -d becomes b - a, and e adds it."""
    adders = (Adder((Term(0), Term(1, True))), Adder((Term(2), Term(3, True))))
    graph = Graph((0, 0, 0), (3, 3, 3), (Tap(0), Tap(1), Tap(2)), adders, (Term(3, True), Term(4)))
    found = upright(graph)
    assert found.adders == (Adder((Term(1), Term(0, True))), Adder((Term(2), Term(3))))
    assert found.outputs == (Term(3), Term(4))
    np.testing.assert_array_equal(found.matrix(), graph.matrix())

"""Registers between the adders: simulated cycle by cycle, and as few bits as an exhaustive search finds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.graphs import solve
from crq.hw.graphs.stages import Staged, staged
from tests.hw.graphs.test_search import ternary


def clocked(graph: Staged, x: np.ndarray) -> np.ndarray:
    """The outputs of a stream of inputs (cycles, elements), register by register."""
    inner, registers, found = graph.graph, {}, []
    for row in x.tolist():
        values = [registers.get((n, graph.stage[n]), row[t.element] << t.shift) for n, t in enumerate(inner.taps)]
        for number, adder in enumerate(inner.adders, start=len(inner.taps)):
            at = graph.stage[number]
            total = 0
            for term in adder.terms:
                own = graph.stage[term.value]
                value = values[term.value] if own == at else registers.get((term.value, at), 0)
                total += -value if term.negative else value
            values.append(total)
        out = [0 if o is None else registers.get((o.value, graph.stages), 0) for o in inner.outputs]
        found.append([-v if o is not None and o.negative else v for v, o in zip(out, inner.outputs, strict=True)])
        after = {}
        for number, value in enumerate(values):
            for stage in range(graph.stage[number], graph.last[number]):
                source = value if stage == graph.stage[number] else registers.get((number, stage), 0)
                after[number, stage + 1] = source
        registers = after
    return np.array(found)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.integers(1, 5))
def test_results_come_after_the_stages(seed: int, operands: int, stages: int) -> None:
    matrix = ternary(seed, 6, 20)
    graph = staged(solve(matrix, [(-4, 3)] * 20, operands=operands), stages)
    x = np.random.default_rng(seed).integers(-4, 4, (30, 20))
    found = clocked(graph, x)
    assert np.array_equal(found[stages:], (x @ matrix.T)[:-stages])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_a_stage_has_no_more_levels_than_it_needs(seed: int, stages: int) -> None:
    found = solve(ternary(seed, 6, 40), [(-4, 3)] * 40)
    graph = staged(found, stages)
    assert graph.levels_per_stage <= -(-found.depth // stages)
    assert all(0 <= s < stages for s in graph.stage)
    for number, adder in enumerate(found.adders, start=len(found.taps)):
        assert all(graph.stage[t.value] <= graph.stage[number] <= graph.last[t.value] for t in adder.terms)


def test_registers_are_nearly_as_few_as_can_be() -> None:
    """Against every assignment of stages that the levels allow, of small graphs."""
    ratios = []
    for seed in range(12):
        found = solve(ternary(seed, 3, 8), [(0, 15)] * 8, operands=2)
        per_stage = -(-found.depth // 2)
        best = min(
            bits for choice in product(range(2), repeat=len(found.adders))
            if (bits := register_bits(found, choice, per_stage)) is not None
        )  # fmt: skip
        ratios.append(staged(found, 2).register_bits / best)
    assert np.mean(ratios) < 1.03
    assert max(ratios) < 1.2


def register_bits(graph, choice: tuple[int, ...], per_stage: int) -> int | None:
    stage = [0] * len(graph.taps) + list(choice)
    inside = [0] * len(stage)
    last = list(stage)
    for number, adder in enumerate(graph.adders, start=len(graph.taps)):
        for term in adder.terms:
            if stage[term.value] > stage[number]:
                return None
            below = inside[term.value] if stage[term.value] == stage[number] else 0
            inside[number] = max(inside[number], below + 1)
            last[term.value] = max(last[term.value], stage[number])
        if inside[number] > per_stage:
            return None
    for output in graph.outputs:
        if output is not None:
            last[output.value] = 2
    return sum(f.bits * (b - a) for f, a, b in zip(graph.formats, stage, last, strict=True))


@pytest.mark.parametrize("stages", [1, 3])
def test_an_output_that_is_an_input_waits_for_the_others(stages: int) -> None:
    graph = staged(solve(np.array([[1, 0, 0], [1, 1, 1]]), [(0, 15)] * 3), stages)
    x = np.random.default_rng(0).integers(0, 16, (9, 3))
    assert np.array_equal(clocked(graph, x)[stages:], (x @ graph.graph.matrix().T)[:-stages])

"""What the integers of an output are worth."""

from __future__ import annotations

import numpy as np

from crq.hw.ir.ends import OutputFacts
from crq.hw.ir.layers import Shape, Tensor
from crq.hw.ir.scores import EXACT_FLOAT32, Scores


def scores(facts: OutputFacts, highest: int = 9, shape: tuple[int, ...] = (2,)) -> Scores:
    tensor = Tensor("y", Shape(2, 1, 1), np.full(2, -9, np.int64), np.full(2, highest, np.int64))
    return Scores(tensor, facts, shape)


def test_a_scale_and_an_offset_per_channel() -> None:
    found = scores(OutputFacts(scale=[0.5, 2.0], offset=[1.0, 0.0])).logits(np.array([[3, 4], [-1, 0]]))
    assert found.tolist() == [[2.5, 8.0], [0.5, 0.0]]
    assert found.dtype == np.float32
    maps = scores(OutputFacts(scale=[0.5, 2.0])).logits(np.ones((1, 2, 3, 3), np.int64))
    assert maps[0, :, 0, 0].tolist() == [0.5, 2.0]


def test_integers_that_float32_would_round_have_float64() -> None:
    assert scores(OutputFacts(), EXACT_FLOAT32).kind is np.float32
    assert scores(OutputFacts(), EXACT_FLOAT32 + 1).kind is np.float64


def test_outputs_that_leave_together_are_parted() -> None:
    one, two = scores(OutputFacts(names=(("a", 1), ("b", 1)))).results(np.array([[3, 4]]))
    assert (one.tolist(), two.tolist()) == ([[3.0]], [[4.0]])


def test_results_have_the_rank_of_the_file() -> None:
    integers = np.array([[3, 4], [5, 1]])
    for shape in ((2,), (2, 1), (2, 1, 1)):
        [found] = scores(OutputFacts(), shape=shape).results(integers)
        assert found.shape == (2, *shape)
        assert scores(OutputFacts(), shape=shape).results(integers.reshape(2, 2, 1, 1))[0].shape == (2, *shape)
    [best] = scores(OutputFacts(head=(("ArgMax", {"keepdims": 0}),)), shape=(2, 1, 1)).results(integers)
    assert best.tolist() == [[[1]], [[0]]]


def test_the_host_does_what_the_file_ends_with() -> None:
    [found] = scores(OutputFacts(head=(("ArgMax", {"keepdims": 0}),))).results(np.array([[3, 4], [5, 1]]))
    assert found.tolist() == [1, 0]

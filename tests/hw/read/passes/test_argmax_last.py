"""The class in place of the scores, on request; refused where scores do not compare as their integers do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper

from crq.errors import CrqError
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.layers import ArgMax
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import read_qonnx
from crq.hw.read.origin import load_graph
from crq.hw.read.passes.argmax_last import argmax_last
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, base, conv, graph_of, node, run
from tests.support.several_ends import vectors

PLAIN = [IN, CONV, *ACT, *TAIL]


def ended(*more: Any, **constants: Any) -> ModelWrapper:
    nodes = [*PLAIN[:-1], node("MatMul", "fl f", "scores", "fc"), *more] if more else PLAIN
    return read_qonnx(graph_of(nodes, base() | constants))


def test_the_index_of_the_first_greatest_score_is_the_result() -> None:
    scores = ended()
    x = all_vectors(Network(scores), 30)
    expected = evaluate(Network(scores), x).argmax(1)
    model, changed = argmax_last(ended())
    network = Network(model)
    assert changed
    assert isinstance(network.layers[-1], ArgMax)
    np.testing.assert_array_equal(evaluate(network, x)[:, 0], expected)
    np.testing.assert_array_equal(run(model, x)[:, 0], expected[:, 0, 0])  # as qonnx executes it
    assert (network.scores[0].scale, network.scores[0].offset) == (1, 0)
    np.testing.assert_array_equal(network.results(expected.reshape(-1, 1)), expected[:, 0, 0])


def test_a_second_time_changes_nothing() -> None:
    model, _ = argmax_last(ended())
    assert argmax_last(model)[1] is False


def test_the_graph_that_was_given_stays() -> None:
    scores = ended()
    graph, _ = load_graph(scores, argmax=True)
    assert Network(graph).gives_classes
    assert not Network(scores).gives_classes


@pytest.mark.parametrize("keepdims", [0, 1])
def test_a_files_own_argmax_says_how_many_axes_there_are(keepdims: int) -> None:
    model, _ = argmax_last(ended(node("ArgMax", "scores", "y", "end", axis=1, keepdims=keepdims)))
    given = np.array([[2], [0]])
    assert Network(model).results(given).shape == ((2, 1) if keepdims else (2,))


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Sigmoid", "Tanh"])
def test_what_keeps_the_order_of_scores_is_left_out(kind: str) -> None:
    axis = {"axis": 1} if "oftmax" in kind else {}
    model, changed = argmax_last(ended(node(kind, "scores", "y", "end", **axis)))
    assert changed
    assert Network(model).results(np.array([[2]])).tolist() == [2]


def test_a_layer_may_already_have_its_name() -> None:
    nodes = [*PLAIN[:-1], node("MatMul", "fl f", "y", "argmax")]
    model, _ = argmax_last(read_qonnx(graph_of(nodes, base())))
    assert Network(model).layers[-1].name == "argmax_2"


def refused(model: ModelWrapper, match: str) -> None:
    with pytest.raises(CrqError, match=rf"{match}.*\[argmax\]"):
        argmax_last(model)


def test_scales_of_channels_are_refused() -> None:
    scales = np.array([[0.5, 0.25, 1]], np.float32)
    refused(ended(node("Mul", "scores s", "y", "scaled"), s=scales), "their integers times 3 scales from 0.0")


def test_a_negative_scale_is_refused() -> None:
    refused(ended(node("Mul", "scores s", "y", "scaled"), s=np.float32(-1)), "1 scales from -")


def test_biases_between_the_integers_are_refused() -> None:
    bias = np.array([[0.1, 0.2, 0.3]], np.float32)
    refused(ended(node("Add", "scores s", "y", "biased"), s=bias), "no whole numbers of their unit")


def test_another_end_is_refused() -> None:
    refused(ended(node("Relu", "scores", "y", "end")), "ends with Relu")


def test_several_outputs_are_named() -> None:
    refused(read_qonnx(vectors()), "outputs 'y', 'other'")


def test_one_score_is_refused() -> None:
    nodes = [IN, CONV, *ACT, conv("q one", "y", "head", size=1)]
    refused(read_qonnx(graph_of(nodes, base() | {"one": np.ones((1, 5, 1, 1), np.float32)})), "one score")


def test_an_image_that_is_flattened_at_the_end_is_refused() -> None:
    refused(read_qonnx(graph_of([IN, CONV, *ACT, node("Flatten", "q", "y", "fl")], base())), "pixels of an image")

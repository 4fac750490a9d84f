"""Files that end with operators behind their scores: the host applies them, and the scores are compared."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.images import input_codes
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.ports import apart
from crq.hw.ir.vectors import all_vectors
from crq.hw.project import build
from crq.hw.read import read_qonnx
from crq.hw.verify.chain import layer_values
from crq.hw.verify.float64.evaluate import float64_link
from crq.hw.verify.float64.operators import OPERATORS
from tests.support.qonnx_files import ACT, CONV, IN, TAIL, base, codes, graph_of, in_float32, node, run
from tests.support.several_sizes import executed, image_and_table, values_of

BODY = [IN, CONV, *ACT, *TAIL[:-1], node("MatMul", "fl f", "s", "fc")]


def file(*nodes, opset: int = 13, **constants: object):
    return graph_of([*BODY, *nodes], base() | constants, opset=opset)


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([node("Softmax", "s", "y", axis=1)], {}),
        ([node("LogSoftmax", "s", "y")], {}),
        ([node("ArgMax", "s", "y", axis=-1, keepdims=0)], {}),
        ([node("Softmax", "s", "sm", axis=-1), node("ArgMax", "sm", "y", axis=1)], {}),
        ([node("Sigmoid", "s", "y")], {}),
        ([node("Relu", "s", "y")], {}),
    ],
    ids=lambda v: " ".join(n.op_type for n in v) if isinstance(v, list) else "",
)
def test_results_are_those_of_the_file(nodes: list, constants: dict) -> None:
    proto = file(*nodes, **constants)
    graph = read_qonnx(proto)
    network = Network(graph)
    x = codes(graph, 6)
    evaluator = ReferenceEvaluator(proto, new_ops=list(OPERATORS))
    images = (x * network.metadata.inputs[0].scale).astype(np.float32)
    expected = np.concatenate([evaluator.run(None, {"x": image[None]})[0] for image in images])
    np.testing.assert_allclose(network.results(run(graph, x)), expected, rtol=1e-4, atol=1e-5)
    assert network.metadata.outputs[0].tensor == "s"


@pytest.mark.parametrize(
    ("outputs", "behind"), [(("y", "ti"), []), (("tv", "y"), []), (("tv", "ti"), [node("Softmax", "tv", "y", axis=1)])],
    ids=["values", "indices", "softmax of values"],
)  # fmt: skip
def test_the_best_few(outputs: tuple[str, str], behind: list) -> None:
    """Values or indices, whichever the file gives: by onnx's reference."""
    best = node("TopK", "s k", "y", axis=1)
    best.output[:] = outputs
    proto = file(best, *behind, k=np.array([2]))
    graph = read_qonnx(proto)
    network, x = Network(graph), codes(graph, 6)
    evaluator = ReferenceEvaluator(proto, new_ops=list(OPERATORS))
    images = (x * network.metadata.inputs[0].scale).astype(np.float32)
    expected = np.concatenate([evaluator.run(None, {"x": image[None]})[0] for image in images])
    ties = [len(set(row)) < len(row) for row in network.logits(run(graph, x)).tolist()]  # any order is right
    found = network.results(run(graph, x))
    kept = ~np.array(ties) if outputs[1] == "y" else slice(None)
    np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-4, atol=1e-5)


def test_values_and_indices_together() -> None:
    proto = file(node("TopK", "s k", "tv", axis=1), k=np.array([2]))
    proto.graph.node[-1].output[:] = ["y", "ti"]
    proto.graph.output.append(onnx.helper.make_tensor_value_info("ti", onnx.TensorProto.INT64, None))
    assert Network(read_qonnx(proto)).metadata.outputs[0].head == (("TopK", {"k": 2, "output": 2}),)


def test_a_project_and_its_host_apply_it_and_scores_are_compared(tmp_path: Path) -> None:
    proto = file(node("Softmax", "s", "y", axis=1))
    project = build(proto, tmp_path / "p")
    x = codes(read_qonnx(proto), 5)
    probabilities = project.simulate(x)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    names: dict = {}
    exec((tmp_path / "p" / "host.py").read_text(), names)
    np.testing.assert_array_equal(names["results"](project.integers(x)), probabilities)
    assert in_float32(proto, tmp_path, 5).integers == 7 * 3 - 6


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("ArgMax", "s", "y")], r"along axis 0 of scores of 2 axes.*\[head\]"),
        ([node("ArgMax", "s", "y", axis=1, select_last_index=1)], r"of equal scores the last"),
        ([node("ArgMax", "s", "am", axis=1), node("Relu", "am", "y")], r"reads indices.*\[head\]"),
        ([node("Softmax", "s", "sm"), node("Mul", "sm sm", "y")], r"Softmax is not among the operators"),
    ],
)
def test_other_ends_are_refused(nodes: list, message: str) -> None:
    with pytest.raises(HwError, match=message):
        read_qonnx(file(*nodes))


def test_what_is_made_of_one_of_several_outputs_is_refused() -> None:
    proto = file(node("Softmax", "s", "y", axis=1))
    proto.graph.output.append(onnx.helper.make_tensor_value_info("s", onnx.TensorProto.FLOAT, None))
    with pytest.raises(HwError, match=r"'y' \(Softmax\): .*\[unsupported-op\]"):
        read_qonnx(proto)


def headed() -> ModelProto:
    """The scores of `image_and_table` end with a Softmax, its map with an ArgMax."""
    proto = image_and_table()
    proto.graph.node.extend([node("Softmax", "y", "probs", axis=1), node("ArgMax", "m", "map", axis=1, keepdims=0)])
    ends = ("probs", TensorProto.FLOAT), ("map", TensorProto.INT64)
    for output, (name, kind) in zip(proto.graph.output, ends, strict=True):
        output.CopyFrom(helper.make_tensor_value_info(name, kind, None))
    return proto


def test_each_of_several_outputs_has_its_own(tmp_path: Path) -> None:
    proto = headed()
    network, values = Network(read_qonnx(proto)), values_of(proto, 5)
    assert [(scores.facts.tensor, scores.facts.names) for scores in network.scores] == [
        ("y", (("probs", 3),)), ("m", (("map", 2),)),
    ]  # fmt: skip
    integers = apart(network.outputs, evaluate(network, input_codes(network, values, quantize=True)))
    wanted = executed(proto, values)
    build(proto, tmp_path / "p", target="rtl")
    host = runpy.run_path(str(tmp_path / "p" / "host.py"))
    for given in (network.results(integers), host["results"](integers)):
        for have, want in zip(given, wanted, strict=True):
            np.testing.assert_allclose(have.reshape(want.shape), want, rtol=1e-5, atol=1e-6)
    codes = all_vectors(network, 4)
    onnx.save(proto, tmp_path / "m.onnx")
    link = float64_link(tmp_path / "m.onnx", network, codes, layer_values(network, codes))
    assert link.equal, str(link)


def test_outputs_with_operators_of_the_host_share_no_stream() -> None:
    proto = graph_of([*BODY, node("Sigmoid", "s", "y"), node("MatMul", "fl f", "z", "other")], base())
    proto.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))
    network = Network(read_qonnx(proto))
    assert [scores.facts.names for scores in network.scores] == [(("y", 3),), (("z", 3),)]
    assert [len(scores.facts.head) for scores in network.scores] == [1, 0]


def test_scores_that_leave_as_they_are_too_are_left_to_the_reader() -> None:
    proto = file(node("Softmax", "s", "y", axis=1))
    proto.graph.output.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, None))
    with pytest.raises(HwError, match=r"Softmax.*\[unsupported-op\]"):
        read_qonnx(proto)

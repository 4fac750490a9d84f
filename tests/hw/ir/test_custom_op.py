"""The integer graph's own operator, as qonnx runs it."""

from __future__ import annotations

import numpy as np
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes

from crq.hw.ir.custom_op import DOMAIN, progression_of
from crq.hw.ir.graph import Network
from crq.hw.ir.interpret import evaluate
from crq.hw.ir.vectors import all_vectors
from crq.hw.read import read_qonnx
from tests.support.wide_files import wide_dense


def test_qonnx_executes_and_infers_it() -> None:
    model = read_qonnx(wide_dense())
    [node] = [n for n in model.graph.node if n.domain == DOMAIN]
    network = Network(model)
    for inferred in (model, model.transform(InferShapes()).transform(InferDataTypes())):
        for codes in all_vectors(network, 5):
            found = execute_onnx(inferred, {network.inputs[0].name: codes.reshape(1, -1).astype(np.float32)})
            [values] = found.values()
            np.testing.assert_array_equal(values.reshape(-1), evaluate(network, codes[None]).reshape(-1))
    assert getCustomOp(node).verify_node() == []


def test_its_progression_is_that_of_the_layer() -> None:
    model = read_qonnx(wide_dense())
    [node] = [n for n in model.graph.node if n.domain == DOMAIN]
    found, layer = progression_of(node, model.get_initializer(node.input[1])), Network(model)[node.name]
    assert (found.f, found.count, found.ties) == (layer.thresholds.f, layer.thresholds.count, layer.thresholds.ties)
    assert model.get_initializer(node.input[1]).nbytes == 24 * layer.output.shape.c

"""One name for operators that have several: qonnx 1.0 also calls a Quant IntQuant, with the same meaning."""

from __future__ import annotations

from onnx import ModelProto

SPELLINGS = {"IntQuant": "Quant"}


def one_spelling(model: ModelProto) -> ModelProto:
    """`model` with every operator under the name that the reader knows."""
    for node in model.graph.node:
        node.op_type = SPELLINGS.get(node.op_type, node.op_type)
    return model

"""Enlargement → elementwise becomes elementwise → enlargement: thresholds stand right behind their sums again.

What treats all pixels of a channel alike can as well come before the channels become pixels; then wide sums neither
wait in the memory of a row nor pass a stream.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.metadata import Metadata
from crq.hw.read.passes.readers import readers
from crq.hw.read.passes.swap import swap

ELEMENTWISE = ("MultiThreshold", "Mul", "Add")


def enlarge_last(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Move every enlargement behind the elementwise nodes with constants that alone consume it; (model, changed)."""
    changed = False
    while pair := _next(model):
        enlarge, node = pair
        parts = model.get_initializer(enlarge.input[1]).shape[0] // model.get_tensor_shape(enlarge.output[0])[1]
        values = model.get_initializer(node.input[1])
        axis = 0 if node.op_type == "MultiThreshold" else 1
        if values.ndim > axis and values.shape[axis] > 1:
            model.set_initializer(node.input[1], np.repeat(values, parts, axis))
        names = (node.name, enlarge.name) if node.op_type == "MultiThreshold" else None
        swap(model, enlarge, node)
        if names is not None:
            _moved(model, *names, parts)
        changed = True
    return model, changed


def _next(model: ModelWrapper) -> tuple[NodeProto, NodeProto] | None:
    for enlarge in model.graph.node:
        if enlarge.op_type != "ConvTranspose":
            continue
        consumers = model.find_consumers(enlarge.output[0]) or []
        if not readers(model, enlarge.output[0]) == len(consumers) == 1 or consumers[0].op_type not in ELEMENTWISE:
            continue
        if any(model.get_initializer(name) is not None for name in consumers[0].input[1:]):
            return enlarge, consumers[0]
    return None


def _moved(model: ModelWrapper, threshold: str, enlarge: str, parts: int) -> None:
    """The file's codes are now those of the enlargement; ties are of the channels that the thresholds have."""
    metadata = Metadata.of(model).renamed_source(threshold, enlarge)
    ties = dict(metadata.ties)
    if threshold in ties:
        ties[threshold] = [c * parts + k for c in ties[threshold] for k in range(parts)]
    replace(metadata, ties=ties).write(model)

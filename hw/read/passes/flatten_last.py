"""Flatten → elementwise becomes elementwise → Flatten, so that a flattened image goes straight into its layer.

The stream flattens row by row, ONNX channel by channel: only a matrix product, whose rows can be put in order, may read
the result. What treats all pixels of a channel alike can as well come first.
"""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from hw.read.passes.swap import swap
from hw.read.refusals import refuse

ELEMENTWISE = ("MultiThreshold", "Mul", "Add")


def flatten_last(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Move every Flatten of several pixels behind the elementwise nodes that alone consume it; (model, changed)."""
    changed = False
    while pair := _next(model):
        flatten, node = pair
        shape = model.get_tensor_shape(flatten.input[0])
        values = model.get_initializer(node.input[1]) if len(node.input) == 2 else None
        if node.op_type not in ELEMENTWISE or values is None:
            refuse("per-feature", node)
        model.set_initializer(node.input[1], _per_channel(node, values, shape))
        if node.op_type == "MultiThreshold":
            kept = [a for a in node.attribute if a.name != "data_layout"]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("data_layout", {3: "NCW", 4: "NCHW"}[len(shape)])])
        swap(model, flatten, node)
        changed = True
    return model, changed


def _next(model: ModelWrapper) -> tuple[NodeProto, NodeProto] | None:
    for flatten in model.graph.node:
        if flatten.op_type != "Flatten" or np.prod(model.get_tensor_shape(flatten.input[0])[2:]) == 1:
            continue
        consumers = [n for n in model.find_consumers(flatten.output[0]) or [] if n.op_type != "MatMul"]
        if consumers:
            if len(model.find_consumers(flatten.output[0]) or []) > 1:
                refuse("per-feature", consumers[0])
            return flatten, consumers[0]
    return None


def _per_channel(node: NodeProto, values: np.ndarray, shape: list[int]) -> np.ndarray:
    """Parameters per feature as parameters per channel; thresholds (F, K) → (C, K), others (1, F) → (1, C, 1, …)."""
    if values.size == 1:
        return values
    channels = shape[1]
    table = values if node.op_type == "MultiThreshold" else values.reshape(-1, 1)
    if len(table) > 1:
        pixels = table.reshape(channels, -1, table.shape[1])
        if (pixels != pixels[:, :1]).any():
            refuse("per-feature", node)
        table = pixels[:, 0]
    return table if node.op_type == "MultiThreshold" else table.reshape(1, channels, *[1] * (len(shape) - 2))

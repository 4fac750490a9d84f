"""Flatten → elementwise becomes elementwise → Flatten, so that a flattened image goes straight into its layer.

The stream flattens row by row, ONNX channel by channel: only a matrix product, whose rows can be put in order, may read
the result. What treats all pixels of a channel alike can as well come first; what does not, and what joins them with
other features, reads the features of a vector, which a product of single ones makes.
"""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.read.passes.readers import readers
from crq.hw.read.passes.swap import swap
from crq.hw.read.refusals import refuse

MOST_FEATURES = 1024  # that a product of single ones gathers: its weights are their square
ELEMENTWISE = ("MultiThreshold", "Mul", "Add")


def flatten_last(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Move every Flatten of several pixels behind the elementwise nodes that alone consume it; (model, changed)."""
    changed = False
    while pair := _next(model):
        flatten, consumers = pair
        node, shape = consumers[0], model.get_tensor_shape(flatten.input[0])
        of_channels = _per_channel(model, node, shape) if readers(model, flatten.output[0]) == 1 else None
        if of_channels is None:
            _gather(model, flatten, consumers)
            changed = True
            continue
        model.set_initializer(node.input[1], of_channels)
        if node.op_type == "MultiThreshold":
            kept = [a for a in node.attribute if a.name != "data_layout"]
            del node.attribute[:]
            node.attribute.extend([*kept, helper.make_attribute("data_layout", {3: "NCW", 4: "NCHW"}[len(shape)])])
        swap(model, flatten, node)
        changed = True
    return model, changed


def _next(model: ModelWrapper) -> tuple[NodeProto, list[NodeProto]] | None:
    """A Flatten of several pixels, and the nodes that read it and are no matrix product."""
    for flatten in model.graph.node:
        if flatten.op_type != "Flatten" or np.prod(model.get_tensor_shape(flatten.input[0])[2:]) == 1:
            continue
        consumers = [n for n in model.find_consumers(flatten.output[0]) or [] if n.op_type != "MatMul"]
        if consumers:
            return flatten, consumers
    return None


def _per_channel(model: ModelWrapper, node: NodeProto, shape: list[int]) -> np.ndarray | None:
    """Parameters per feature as parameters per channel; thresholds (F, K) → (C, K), others (1, F) → (1, C, 1, …). None
    if they differ from pixel to pixel, or where the node has others than those of an elementwise operation."""
    values = model.get_initializer(node.input[1]) if len(node.input) == 2 else None
    if node.op_type not in ELEMENTWISE or values is None:
        return None
    if values.size == 1:
        return values
    channels = shape[1]
    table = values if node.op_type == "MultiThreshold" else values.reshape(-1, 1)
    if len(table) > 1:
        pixels = table.reshape(channels, -1, table.shape[1])
        if (pixels != pixels[:, :1]).any():
            return None
        table = pixels[:, 0]
    return table if node.op_type == "MultiThreshold" else table.reshape(1, channels, *[1] * (len(shape) - 2))


def _gather(model: ModelWrapper, flatten: NodeProto, consumers: list[NodeProto]) -> None:
    """A matrix product of single ones before `consumers`: every pixel's channels become features of one vector, which
    have parameters of their own, and are joined with others."""
    image, vector = flatten.output[0], f"{flatten.name}_vector_out"
    features = model.get_tensor_shape(image)[1]
    if features > MOST_FEATURES:
        refuse(
            "per-feature", consumers[0], f"{features} features of a flattened image; expected at most {MOST_FEATURES}"
        )
    weights = f"{flatten.name}_vector_weight"
    product = helper.make_node("MatMul", [image, weights], [vector], f"{flatten.name}_vector")
    model.graph.node.insert(list(model.graph.node).index(flatten) + 1, product)
    model.set_initializer(weights, np.eye(features, dtype=np.float32))
    model.set_tensor_datatype(weights, DataType["TERNARY"])
    model.set_tensor_shape(vector, [1, features])
    model.set_tensor_datatype(vector, model.get_tensor_datatype(image))
    for node in consumers:
        for place, name in enumerate(node.input):
            if name == image:
                node.input[place] = vector

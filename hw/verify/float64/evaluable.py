"""A file in the one form that both its evaluations take, in float64 and in float32.

Nothing of the reader takes part: what it gets wrong must show there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_values
from crq.hw.ir.joined import join
from crq.hw.ir.layers import IntArray
from crq.hw.verify.float64.operators import CHANNELS_LAST, GENERAL, QUANTIZERS

FLOATS: dict[int, type[np.floating[Any]]] = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64}

SEVERAL = ("Split",)
"""Operators whose results are all of them data."""


def evaluable(model: ModelProto, element: int, output: str | None = None) -> ModelProto:
    """A copy for one image, whose floats are all of type `element` (FLOAT or DOUBLE); its result is the tensor `output`
    if that is given.

    qonnx's quantizers stand in one domain with their attributes written out, constants are no inputs, nodes have the
    outputs that the result may depend on, and no shapes are declared but the input's.
    """
    model = ModelProto.FromString(model.SerializeToString())
    if output is not None:
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info(output, element, None))
    join(model)
    constants = {i.name for i in model.graph.initializer}
    given = [i for i in model.graph.input if i.name not in constants]
    del model.graph.input[:], model.graph.value_info[:]
    model.graph.input.extend(given)
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    needed = _needed(model)
    del model.graph.node[:]
    model.graph.node.extend(needed)
    for node in model.graph.node:
        _rewrite(node)
    domains = {"" if o.domain == "ai.onnx" else o.domain: o.version for o in model.opset_import}
    del model.opset_import[:]
    domains = {GENERAL: 1, CHANNELS_LAST: domains.get("", 1), **domains}  # qonnx: the version of what they wrap
    model.opset_import.extend(helper.make_opsetid(d, version) for d, version in domains.items())
    _retype(model, element)
    return model


def file_input(model: ModelProto) -> ValueInfoProto:
    """The input of an evaluable model."""
    return next(iter(model.graph.input))


def file_images(model: ModelProto, network: Network, codes: IntArray) -> Iterator[NDArray[np.float64]]:
    """What an evaluable model is fed so that its first quantizer gives `codes` (N, C, H, W), image by image."""
    shape = [d.dim_value for d in file_input(model).type.tensor_type.shape.dim]
    last = network.metadata.input_layout == "NHWC"
    for value in to_values(network, codes):
        yield (np.moveaxis(value.reshape(shape[-1], *shape[1:-1]), 0, -1) if last else value).reshape(shape)


def _needed(model: ModelProto) -> list[NodeProto]:
    """Copies of the nodes that an output depends on: what else there is need not even be executable."""
    names = {output.name for output in model.graph.output}
    found = []
    for node in reversed(model.graph.node):
        if names & set(node.output if node.op_type in SEVERAL else node.output[:1]):
            names |= set(node.input)
            found.append(NodeProto.FromString(node.SerializeToString()))
    return found[::-1]


def _rewrite(node: NodeProto) -> None:
    if node.domain == "ai.onnx":
        node.domain = ""
    if node.op_type not in SEVERAL:
        del node.output[1:]  # a mask, indices or statistics of training
    if node.op_type not in QUANTIZERS:
        return
    node.domain = GENERAL
    if node.op_type in ("Quant", "IntQuant"):
        present = {a.name: a for a in node.attribute}
        defaults = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"}
        node.attribute.extend(helper.make_attribute(k, v) for k, v in defaults.items() if k not in present)
        if "rounding_mode" in present and present["rounding_mode"].s.upper() == b"ROUND_TO_ZERO":
            present["rounding_mode"].s = b"DOWN"  # its name in qonnx 1.0


def _retype(model: ModelProto, element: int) -> None:
    """Constants, casts and the graph's ends."""
    tensors = list(model.graph.initializer)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                tensors.append(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
                attribute.i = element
    for tensor in tensors:
        if tensor.data_type in FLOATS:
            values: Any = numpy_helper.to_array(tensor).astype(FLOATS[element])
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type in FLOATS:
            value.type.tensor_type.elem_type = element

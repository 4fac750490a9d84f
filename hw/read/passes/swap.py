"""Two neighbouring nodes of the integer graph trade places."""

from __future__ import annotations

from onnx import NodeProto
from qonnx.core.modelwrapper import ModelWrapper


def swap(model: ModelWrapper, first: NodeProto, second: NodeProto) -> None:
    """`first`, then `second` alone behind it, become `second`, then `first`.

    The tensor between them takes the shape of `first`'s input and the type of `second`'s result.
    """
    nodes = model.graph.node
    source, middle, result = first.input[0], first.output[0], second.output[0]
    shape, dtype = model.get_tensor_shape(source), model.get_tensor_datatype(result)
    places = [list(nodes).index(n) for n in (first, second)]
    second.input[0], second.output[0] = source, middle
    first.input[0], first.output[0] = middle, result
    copies = [NodeProto(), NodeProto()]
    for copy, node in zip(copies, (second, first), strict=True):
        copy.CopyFrom(node)
    for place, copy in zip(places, copies, strict=True):
        nodes[place].CopyFrom(copy)
    model.set_tensor_shape(middle, shape)
    model.set_tensor_datatype(middle, dtype)

"""QONNX `Quant` nodes as standard ONNX operators, for runtimes without custom operators."""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from crq.export.errors import ExportError


def lower_quant(model: ModelProto) -> ModelProto:
    """A copy of `model` in which every Quant is Div → Clip → Round → Mul, bit for bit what qonnx computes.

    Needs constant scales, zero points of 0 and rounding mode ROUND (round half to even, ONNX's Round); raises
    `ExportError` naming the node otherwise.
    """
    result = ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer if i.data_type not in _SUB_BYTE}
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes += _lowered(node, constants, graph) if node.op_type == "Quant" else [node]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {i for n in graph.node for i in n.input}
    initializers = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    standard = [o for o in result.opset_import if o.domain == ""]
    del result.opset_import[:]
    result.opset_import.extend(standard)
    return result


_SUB_BYTE = {21, 22, 25, 26}  # UINT4, INT4, UINT2, INT2: numpy holds them only through ml_dtypes, and no scale is one


def _lowered(node: NodeProto, constants: dict[str, np.ndarray], graph: GraphProto) -> list[NodeProto]:
    x, scale_name, zero_name, bits_name = node.input
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    missing = [n for n in (scale_name, zero_name, bits_name) if n not in constants]
    if missing or constants[zero_name].any() or attributes.get("rounding_mode", b"ROUND") != b"ROUND":
        raise ExportError(f"node {node.name!r}: only constant scales, zero point 0 and rounding mode ROUND are lowered")
    bits, signed, narrow = int(constants[bits_name]), attributes["signed"], attributes["narrow"]
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
    low = -(2 ** (bits - 1)) + narrow if signed else 0
    names = [f"{node.name}_{k}" for k in ("units", "clipped", "code")]
    ends = []
    for end in (low, high):
        name = f"code_{end}"
        if name not in constants:
            constants[name] = np.array(end, np.float32)
            graph.initializer.append(numpy_helper.from_array(constants[name], name))
        ends.append(name)
    return [
        helper.make_node("Div", [x, scale_name], [names[0]], names[0]),
        helper.make_node("Clip", [names[0], *ends], [names[1]], names[1]),
        helper.make_node("Round", [names[1]], [names[2]], names[2]),
        helper.make_node("Mul", [names[2], scale_name], list(node.output), node.name),
    ]

"""The operators behind a network's scores, which the host applies: they are taken off before the file is read."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

from crq.hw.ir.head import BOTH, HEADS, VALUES, Head
from crq.hw.read.refusals import refuse

SINCE_13 = ("Softmax", "LogSoftmax")
"""Before opset 13 their default axis is 1 and they flatten what is behind it."""


class Taken(NamedTuple):
    """`nodes` in the file's order, on the tensor `scores`, which is now the output; none if there are no such nodes."""

    nodes: tuple[NodeProto, ...]
    scores: str
    given: tuple[frozenset[str], ...] = ()
    """Of each node, the results that the next one, or the file's outputs, read."""


def take_head(model: ModelProto) -> Taken:
    """Removes the operators of `HEADS` that only the outputs of `model` read; its output is then their input."""
    constants = {i.name for i in model.graph.initializer}
    producers = {name: node for node in model.graph.node for name in node.output}
    nodes: list[NodeProto] = []
    given: list[frozenset[str]] = []
    outputs = {o.name for o in model.graph.output}
    while True:
        last = {producers[name].output[0] for name in outputs if name in producers}
        node = producers[last.pop()] if len(last) == 1 else None
        known = node is not None and all(name in constants for name in node.input[1:] if name)
        if node is None or node.op_type not in HEADS or node.domain or not known or not outputs <= set(node.output):
            break
        readers = sum(node.input[0] in other.input for other in model.graph.node)
        if readers != 1 or node.input[0] not in producers:
            break
        nodes.insert(0, node)
        given.insert(0, frozenset(outputs))
        outputs = {node.input[0]}
    if not nodes:
        return Taken((), "")
    copies = tuple(NodeProto.FromString(n.SerializeToString()) for n in nodes)
    taken = Taken(copies, next(iter(outputs)), tuple(given))
    for node in nodes:
        model.graph.node.remove(node)
    del model.graph.output[:]
    model.graph.output.append(ValueInfoProto(name=taken.scores))
    return taken


def take_heads(model: ModelProto) -> dict[str, Taken]:
    """Of several outputs that do not come of one node, the same for each; by the output's name, of those that end so.

    The model's outputs are then the scores; those that something else reads too are left as they are.
    """
    constants = {i.name for i in model.graph.initializer}
    producers = {name: node for node in model.graph.node for name in node.output}
    readers = Counter(name for node in model.graph.node for name in {*node.input})
    readers.update(output.name for output in model.graph.output)
    found: dict[str, Taken] = {}
    for output in model.graph.output:
        nodes: list[NodeProto] = []
        tensor = output.name
        while (node := producers.get(tensor)) is not None and node.op_type in HEADS and not node.domain:
            known = all(name in constants for name in node.input[1:] if name)
            alone = sum(readers[name] for name in node.output) == 1
            if not known or not alone or node.input[0] not in producers or readers[node.input[0]] > 1:
                break
            nodes.insert(0, node)
            tensor = node.input[0]
        if nodes:
            copies = tuple(NodeProto.FromString(n.SerializeToString()) for n in nodes)
            given = [*(n.input[0] for n in nodes[1:]), output.name]
            found[output.name] = Taken(copies, tensor, tuple(frozenset({name}) for name in given))
            for node in nodes:
                model.graph.node.remove(node)
    outputs = [found[o.name].scores if o.name in found else o.name for o in model.graph.output]
    if found:
        del model.graph.output[:]
        model.graph.output.extend(ValueInfoProto(name=name) for name in outputs)
    return found


def head_of(model: ModelProto, taken: Taken, opset: int, rank: int) -> Head:
    """What the host is told, for scores of `rank` axes. Refuses operators along another axis than the classes'."""
    constants = {i.name: i for i in model.graph.initializer}
    found: list[tuple[str, dict[str, int]]] = []
    for node, given in zip(taken.nodes, taken.given, strict=True):
        if found and (found[-1][0] == "ArgMax" or found[-1][1].get("output", VALUES) != VALUES):
            refuse("head", node, "reads indices")
        told = {a.name: int(helper.get_attribute_value(a)) for a in node.attribute if a.name in ("axis", "keepdims")}
        told |= {a.name: int(a.i) for a in node.attribute if a.name in ("largest", "select_last_index")}
        if node.op_type in ("Softmax", "LogSoftmax", "ArgMax", "TopK"):
            default = {"ArgMax": 0, "TopK": -1}.get(node.op_type, 1 if opset < 13 else -1)
            axis = told.pop("axis", default)
            if axis % rank != 1 or (rank > 2 and opset < 13 and node.op_type in SINCE_13):
                refuse("head", node, f"along axis {axis} of scores of {rank} axes")
        if told.pop("select_last_index", 0):
            refuse("head", node, "of equal scores the last")
        if node.op_type == "TopK":
            told["k"] = _count(node, constants)
            told["output"] = BOTH if len(given) == 2 else list(node.output).index(next(iter(given)))
        found.append((node.op_type, told))
    return tuple(found)


def _count(node: NodeProto, constants: dict) -> int:
    given = [a.i for a in node.attribute if a.name == "k"]  # before opset 10
    values = given or np.ravel(numpy_helper.to_array(constants[node.input[1]])).tolist()
    if len(values) != 1 or int(values[0]) < 1:
        refuse("head", node, f"the {values} best; expected a number of at least 1")
    return int(values[0])

"""Quantizers in standard operators become Quant again: Div s → Clip → Round → Mul s, as in files of carrier int2."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from crq.hw.read.constants import from_tensor

CHAIN = ("Mul", "Round", "Clip", "Div")  # from the result backwards


def raise_quant(model: ModelProto) -> ModelProto:
    """`model` with every such chain of sole consumers replaced by one Quant; other nodes keep their order."""
    constants = {i.name: i for i in model.graph.initializer}
    producers = {o: n for n in model.graph.node for o in n.output}
    readers: dict[str, int] = {}
    for node in model.graph.node:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    removed: list[NodeProto] = []
    for node in list(model.graph.node):
        chain = _chain(node, producers, readers)
        parameters = _parameters(chain, constants) if chain else None
        if chain and parameters:
            bits, signed, narrow = parameters
            division, result = chain[-1], chain[0]
            # Named by the result: no other node writes that tensor, while node names may be absent or repeated.
            names = [f"{result.output[0]}{ending}" for ending in (":zero_point", ":bits")]
            for name, value in zip(names, (0.0, float(bits)), strict=True):
                model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
            quant = helper.make_node(
                "Quant", [division.input[0], division.input[1], *names], list(result.output), node.name,
                domain="qonnx.custom_op.general", signed=signed, narrow=narrow, rounding_mode="ROUND",
            )  # fmt: skip
            result.CopyFrom(quant)
            removed += chain[1:]
    for node in removed:
        model.graph.node.remove(node)
    return model


def _chain(node: NodeProto, producers: dict[str, NodeProto], readers: dict[str, int]) -> list[NodeProto] | None:
    chain: list[NodeProto] = []
    for op in CHAIN:
        if node is None or node.op_type != op or (chain and readers[node.output[0]] != 1):
            return None
        chain.append(node)
        node = producers.get(node.input[0])  # type: ignore[assignment]
    same_scale = chain[0].input[1] == chain[-1].input[1]
    return chain if same_scale and len(chain[2].input) == 3 else None


def _parameters(chain: list[NodeProto], constants: dict[str, object]) -> tuple[int, int, int] | None:
    """(bits, signed, narrow) of the code range, if the ends are those of a Quant."""
    if any(name not in constants for name in chain[2].input[1:]):
        return None
    ends = [from_tensor(name, constants[name]).value for name in chain[2].input[1:]]
    if any(end.size != 1 or end.dtype.kind not in "fiu" for end in ends):
        return None
    low, high = (float(end.item()) for end in ends)
    if (low, high) == (0, 1):
        return 1, 0, 0
    for bits in range(2, 9):
        for narrow in (0, 1):
            if (low, high) == (-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1):
                return bits, 1, narrow
            if (low, high) == (0, 2**bits - 1 - narrow):
                return bits, 0, narrow
    return None

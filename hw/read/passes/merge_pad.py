"""Pad → Conv becomes a Conv with more padding: no hardware of its own for the zeros around an image.

The integer graph has no Pad: one is a depthwise convolution of single ones, which is exact before any operator.
"""

from __future__ import annotations

from typing import Any

from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.read.passes.readers import readers


def merge_pad(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Give the padding of every convolution that only pads to the convolutions behind it; returns (model, changed)."""
    changed = False
    for pad in list(model.graph.node):
        if not _only_pads(model, pad):
            continue
        for conv in [n for n in model.find_consumers(pad.output[0]) or [] if n.op_type == "Conv"]:
            pads = [a + b for a, b in zip(_get(pad, "pads"), _get(conv, "pads"), strict=True)]
            attribute = next(a for a in conv.attribute if a.name == "pads")
            attribute.CopyFrom(helper.make_attribute("pads", pads))
            conv.input[0] = pad.input[0]
            changed = True
        if not readers(model, pad.output[0]):
            model.del_initializer(pad.input[1])
            model.graph.node.remove(pad)
    return model, changed


def _only_pads(model: ModelWrapper, node: NodeProto) -> bool:
    if node.op_type != "Conv" or not any(_get(node, "pads")):
        return False
    weights = model.get_initializer(node.input[1])
    single = weights is not None and set(weights.shape[1:]) == {1} and bool((weights == 1).all())
    return single and _get(node, "group") == len(weights) and set(_get(node, "strides")) == {1}


def _get(node: NodeProto, name: str) -> Any:
    return next(helper.get_attribute_value(a) for a in node.attribute if a.name == name)

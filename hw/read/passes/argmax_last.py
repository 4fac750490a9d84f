"""The class in place of the scores: an ArgMax behind the last layer, whose integers compare as the scores do.

On request only (`BuildOptions.argmax`): the scores then never leave the hardware. A function of `KEEPING_ORDER` or a
large common offset can make two scores equal in the file's float32, which then takes the first of them, where the
hardware takes the truly greatest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import TensorProto, helper
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.ends import OutputFacts
from crq.hw.ir.head import INDEX, Head
from crq.hw.ir.layers import smallest_format
from crq.hw.ir.metadata import Metadata
from crq.hw.read.refusals import refuse

KEEPING_ORDER = ("Softmax", "LogSoftmax", "Sigmoid", "Tanh")
"""What does not change which score is the greatest, but for two that it rounds to one."""


def argmax_last(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """`model` with the index of the greatest channel as its result, of equal ones the first; (model, changed).

    Refuses scores that do not compare as their integers do.
    """
    metadata = Metadata.of(model)
    _check_one(metadata)
    result, facts = model.graph.output[0].name, metadata.outputs[0]
    last = model.find_producer(result)
    if last is not None and last.op_type == "ArgMax":
        return model, False
    shape = model.get_tensor_shape(result)
    _check(facts, shape[1])
    if last is not None and last.op_type == "Flatten" and np.prod(model.get_tensor_shape(last.input[0])[2:]) > 1:
        refuse("argmax", f"node {last.name!r}", "the scores are the pixels of an image")
    name = _free(model, "argmax")
    index, dtype = f"{name}_out", DataType[smallest_format(0, shape[1] - 1).qonnx]
    model.graph.node.append(helper.make_node("ArgMax", [result], [index], name, axis=1, keepdims=1))
    scores = model.graph.output.pop()
    model.graph.value_info.append(scores)
    model.graph.output.append(helper.make_tensor_value_info(index, TensorProto.INT64, [shape[0], 1, *shape[2:]]))
    model.set_tensor_datatype(index, dtype)
    keeps = next((told.get("keepdims", 1) for kind, told in facts.head if kind == "ArgMax"), 0)
    replace(metadata, outputs=(OutputFacts(head=((INDEX, {"keepdims": keeps}),)),)).write(model)
    return model, True


def _check_one(metadata: Metadata) -> None:
    names = [name for facts in metadata.outputs for name, _ in facts.names]
    if names:
        listed = ", ".join(map(repr, names))
        refuse("argmax", "model", f"it has the outputs {listed}: write a file that ends with one of them")


def _check(facts: OutputFacts, classes: int) -> None:
    scales, offsets = np.unique(facts.scale), np.unique(facts.offset)
    if len(scales) > 1 or scales[0] <= 0:
        refuse("argmax", "model", f"the scores are their integers times {len(scales)} scales from {scales[0]:g}")
    if len(offsets) > 1:
        refuse(
            "argmax",
            "model",
            "biases of the scores are no whole numbers of their unit; without argmax the host takes the greatest",
        )
    if classes < 2:
        refuse("argmax", "model", "it has one score")
    if not _asks_for_the_greatest(facts.head):
        kinds = ", ".join(kind for kind, _ in facts.head)
        refuse("argmax", "model", f"it ends with {kinds}, which is not the greatest score")


def _asks_for_the_greatest(head: Head) -> bool:
    """Whether a file's own end is one that the index may take the place of."""
    kinds = [kind for kind, _ in head]
    return all(kind in KEEPING_ORDER for kind in kinds[:-1]) and (not kinds or kinds[-1] in (*KEEPING_ORDER, "ArgMax"))


def _free(model: ModelWrapper, name: str) -> str:
    taken, number = {node.name for node in model.graph.node}, 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found

"""A file in the one form that both its evaluations take, in float64 and in float32.

Nothing of the reader takes part: what it gets wrong must show there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from crq.hw.ir.ends import Entry
from crq.hw.ir.graph import Network
from crq.hw.ir.host import to_values
from crq.hw.ir.joined import join
from crq.hw.ir.layers import IntArray
from crq.hw.ir.ports import apart
from crq.hw.ir.scores import Scores
from crq.hw.verify.float64.operators import CHANNELS_LAST, GENERAL, QUANTIZERS

FLOATS: dict[int, type[np.floating[Any]]] = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64}

SEVERAL = ("Split",)
"""Operators whose results are all of them data."""


def evaluable(model: ModelProto, element: int, results: Sequence[str] = ()) -> ModelProto:
    """A copy for one image, whose floats are all of type `element` (FLOAT or DOUBLE); its results are the tensors
    `results` if such are given.

    qonnx's quantizers stand in one domain with their attributes written out, constants are no inputs, nodes have the
    outputs that the result may depend on, and no shapes are declared but the input's.
    """
    model = ModelProto.FromString(model.SerializeToString())
    if results:
        del model.graph.output[:]
        model.graph.output.extend(helper.make_tensor_value_info(name, element, None) for name in results)
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


def file_inputs(model: ModelProto) -> list[ValueInfoProto]:
    """The inputs of an evaluable model, in the order of the network's."""
    return list(model.graph.input)


def file_images(model: ModelProto, network: Network, codes: IntArray) -> Iterator[list[NDArray[np.float64]]]:
    """What an evaluable model is fed so that its first quantizers give `codes` (N, C, H, W), image by image: an array
    for each input."""
    shapes = [[d.dim_value for d in given.type.tensor_type.shape.dim] for given in file_inputs(model)]
    parts = apart(network.inputs, to_values(network, codes))
    for image in range(len(codes)):
        given = zip(network.entries, shapes, parts, strict=True)
        yield [_image(entry, shape, part[image]) for entry, shape, part in given]


def _image(entry: Entry, shape: list[int], value: NDArray[np.float64]) -> NDArray[np.float64]:
    last = entry.facts.layout == "NHWC"
    return (np.moveaxis(value.reshape(shape[-1], *shape[1:-1]), 0, -1) if last else value).reshape(shape)


def results_of(network: Network) -> list[str]:
    """The tensors of the file that the network's outputs are: what the host does to them is left out. None if the only
    one is the file's own output."""
    return [name for scores in network.scores for name in _tensors(scores)]


def _tensors(scores: Scores) -> list[str]:
    return [scores.facts.tensor] if scores.facts.tensor else [name for name, _ in scores.facts.names]


def file_result(model: ModelProto, scores: Scores, values: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Of the `values` of an evaluable model's tensors, those that leave by one output of the network."""
    names = _tensors(scores) or [model.graph.output[0].name]
    return np.concatenate([values[name] for name in names], axis=1) if len(names) > 1 else values[names[0]]


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

"""A file evaluated in float64, node by node, by onnx's reference evaluator: what its integer graph must mean (§2.13).

Nothing of the reader takes part, so what the reader gets wrong shows here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_conv import Conv
from onnx.reference.ops.op_max_pool import MaxPool
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.multithreshold import multithreshold
from qonnx.custom_op.general.quant import quant

from hw.equality import Link, compare_layers
from hw.errors import HwError
from hw.float_execution import one_image
from hw.graph import Network
from hw.layers import IntArray, Threshold
from hw.preprocessing import to_values

GENERAL = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"
TIE = 1e-9
"""In steps of the quantizer: nearer to a boundary than this, the order of float64 operations may decide the code."""


class Quant(OpRun):
    op_domain = GENERAL

    def _run(self, x: Any, scale: Any, zero: Any, bits: Any, signed=1, narrow=0, rounding_mode="ROUND") -> Any:
        return (quant(x, scale, zero, bits, signed, narrow, rounding_mode),)


class IntQuant(Quant):
    pass


class BipolarQuant(OpRun):
    op_domain = GENERAL

    def _run(self, x: Any, scale: Any) -> Any:
        return (binary_quant(x, scale),)


class MultiThreshold(OpRun):
    op_domain = GENERAL

    def _run(self, x: Any, thresholds: Any, out_dtype="", out_scale=1.0, out_bias=0.0, data_layout="NCHW") -> Any:
        return (multithreshold(x, thresholds, out_scale, out_bias, channels_last=data_layout.endswith("C")),)


class BatchNormalization(OpRun):
    """Inference, at every opset: onnx's own takes the statistics of its input below opset 14."""

    def _run(self, x: Any, scale: Any, bias: Any, mean: Any, var: Any, epsilon=1e-5, **_: Any) -> Any:
        scale, bias, mean, var = (v.reshape(-1, *[1] * (x.ndim - 2)) for v in (scale, bias, mean, var))
        return (scale * (x - mean) / np.sqrt(var + epsilon) + bias,)


def _channels_last(name: str, operator: type[OpRun]) -> type[OpRun]:
    moved = 2 if name == "Conv" else 1  # a convolution's weights lie (O, kh, kw, I)

    def run(self: OpRun, *inputs: Any, **attributes: Any) -> Any:
        first = [np.moveaxis(v, -1, 1) for v in inputs[:moved]]
        return (np.moveaxis(operator.eval(*first, *inputs[moved:], **attributes), 1, -1),)

    return type(name, (OpRun,), {"op_domain": CHANNELS_LAST, "_run": run})


QUANTIZERS = (Quant, IntQuant, BipolarQuant, MultiThreshold)
OPERATORS: list[type[OpRun]] = [
    *QUANTIZERS, BatchNormalization,
    _channels_last("Conv", Conv), _channels_last("MaxPool", MaxPool),
    _channels_last("BatchNormalization", BatchNormalization),
]  # fmt: skip


class Float64File:
    """The model's float32 constants, casts and tensors as float64; `run` gives every tensor for one input."""

    def __init__(self, model: ModelProto) -> None:
        self.model = one_image(_doubled(model))
        constants = {i.name for i in self.model.graph.initializer}
        given = next(i for i in self.model.graph.input if i.name not in constants)
        self.input = given.name
        self.shape = tuple(d.dim_value for d in given.type.tensor_type.shape.dim)
        try:
            self._evaluator = ReferenceEvaluator(self.model, new_ops=list(OPERATORS))  # it appends its own to the list
        except NotImplementedError as error:
            raise HwError(f"onnx's reference evaluator cannot run the file in float64: {error}") from error

    def run(self, x: NDArray[np.float64]) -> dict[str, Any]:
        """Every tensor by name."""
        return dict(self._evaluator.run(None, {self.input: x.reshape(self.shape)}, intermediate=True))


def float64_link(file: Path, network: Network, codes: IntArray, expected: dict[str, IntArray]) -> Link:
    """`file` in float64 against `expected`, the integer graph's values by layer: quantizers by name, and the output.

    A code may differ where the value lies within `TIE` of a boundary; what follows in that image is not compared.
    """
    model = Float64File(onnx.load(file))
    last = network.layers[-1]
    quantizers = _quantizers(model.model, network)
    found: dict[str, list[IntArray]] = {name: [] for name in [*quantizers, last.name]}
    scale, offset = (np.asarray(v, np.float64) for v in (network.output_scale, network.output_offset))
    for image, x in enumerate(to_values(network, codes)):
        values = model.run(x)
        tied = False
        for name, node in quantizers.items():
            want = expected[name][image]
            have = _codes(node, values)
            if have.size != want.size:
                continue  # the reader moved a pool across it
            have = have.reshape(want.shape)
            wrong = have != want
            tied |= bool((wrong & _on_a_boundary(node, values).reshape(want.shape)).any())
            found[name].append(want if tied else have)
        if last.name in quantizers:
            continue
        result = np.rint((values[model.model.graph.output[0].name].reshape(-1) - offset) / scale)
        found[last.name].append(expected[last.name][image].reshape(-1) if tied else result.astype(np.int64))
    return compare_layers(
        network, "the file in float64 = integer graph", expected, {k: np.stack(v) for k, v in found.items() if v}
    )


def _quantizers(model: ModelProto, network: Network) -> dict[str, NodeProto]:
    """The file's quantizers, in network order, whose name is a layer's: the reader keeps names that are unique.

    None where the file has channels-last tensors: only the output is compared then.
    """
    if network.model.get_metadata_prop("crq.input.layout") or any(map(_turns_channels, model.graph.node)):
        return {}
    thresholds = {layer.name for layer in network if isinstance(layer, Threshold)}
    named: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        if node.op_type in ("Quant", "IntQuant"):
            named.setdefault(re.sub(r"\W+", "_", node.name).strip("_"), []).append(node)
    unique = {name: nodes[0] for name, nodes in named.items() if len(nodes) == 1}
    return {layer.name: unique[layer.name] for layer in network if layer.name in thresholds & unique.keys()}


def _turns_channels(node: NodeProto) -> bool:
    permutations = [list(a.ints) for a in node.attribute if a.name == "perm"]
    return node.domain == CHANNELS_LAST or node.op_type == "Transpose" and any(len(p) > 2 for p in permutations)


def _codes(node: NodeProto, values: dict[str, Any]) -> IntArray:
    scale, zero = (np.asarray(values[name]) for name in node.input[1:3])
    return np.rint(values[node.output[0]] / scale + zero).astype(np.int64)


def _on_a_boundary(node: NodeProto, values: dict[str, Any]) -> NDArray[np.bool_]:
    scale, zero = (np.asarray(values[name]) for name in node.input[1:3])
    steps = values[node.input[0]] / scale + zero
    near: NDArray[np.bool_] = np.abs(steps - np.floor(steps) - 0.5) < TIE * np.maximum(np.abs(steps), 1)
    return near


def _doubled(model: ModelProto) -> ModelProto:
    """A copy whose floats are float64, and whose qonnx operators stand in one domain, whatever their exporter's."""
    model = ModelProto.FromString(model.SerializeToString())
    tensors = list(model.graph.initializer)
    names = {operator.__name__ for operator in QUANTIZERS}
    for node in model.graph.node:
        if node.op_type in names:
            node.domain = GENERAL
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                tensors.append(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    for tensor in tensors:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    known = {opset.domain for opset in model.opset_import}
    model.opset_import.extend(helper.make_opsetid(d, 1) for d in (GENERAL, CHANNELS_LAST) if d not in known)
    return model

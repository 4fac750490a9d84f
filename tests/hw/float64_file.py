"""A QONNX file evaluated in float64, node by node: what the integer graph of a foreign file must equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from hw.read.budget import Budget
from hw.read.constants import Constant, fold
from hw.read.spelling import one_spelling


def evaluate(model: ModelProto, x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every activation tensor by name, for inputs `x` (N, …) as the file takes them."""
    model = one_spelling(ModelProto.FromString(model.SerializeToString()))
    constants = {i.name: Constant(numpy_helper.to_array(i)) for i in model.graph.initializer}
    name = next(i.name for i in model.graph.input if i.name not in constants)
    values = {name: torch.from_numpy(x)}
    opset = next(o.version for o in model.opset_import if o.domain == "")
    budget = Budget()
    for node in model.graph.node:
        present = [i for i in node.input if i]
        if all(i in constants for i in present):
            constants[node.output[0]] = fold(node, [constants[i] if i else None for i in node.input], opset, budget)
            continue
        inputs = [
            values[i] if i in values else torch.from_numpy(np.array(constants[i].value, np.float64)) for i in present
        ]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Shape":
            constants[node.output[0]] = Constant(np.array(inputs[0].shape, np.int64))
            continue
        values[node.output[0]] = _apply(node.op_type, inputs, attributes)
    return {k: v.numpy() for k, v in values.items()}


def _apply(op: str, i: list[torch.Tensor], a: dict[str, Any]) -> torch.Tensor:
    x = i[0]
    if op == "Quant":
        bits = int(i[3])
        signed, narrow = a.get("signed", 1), a.get("narrow", 0)
        low, high = (-(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1 - narrow)
        return ((x / i[1] + i[2]).clamp(low, high).round() - i[2]) * i[1]
    if op == "BipolarQuant":
        return torch.where(x >= 0, i[1], -i[1])
    if op == "MultiThreshold":
        t = i[1].reshape(1, i[1].shape[0], *[1] * (x.ndim - 2), -1)
        return (x[..., None] >= t).sum(-1).to(x.dtype) * a.get("out_scale", 1.0) + a.get("out_bias", 0.0)
    if op == "Conv":
        pads = list(a.get("pads", [0, 0, 0, 0]))
        n = len(pads) // 2
        x = F.pad(x, [p for axis in reversed(range(n)) for p in (pads[axis], pads[axis + n])])
        conv = F.conv1d if n == 1 else F.conv2d
        return conv(x, i[1], i[2] if len(i) > 2 else None, list(a["strides"]), 0, list(a["dilations"]), a["group"])
    if op == "Gemm":
        y = x @ (i[1].T if a.get("transB", 0) else i[1])
        return y + i[2] if len(i) > 2 else y
    if op == "MatMul":
        return x @ i[1]
    if op == "BatchNormalization":
        scale, bias, mean, var = (v.reshape(1, -1, *[1] * (x.ndim - 2)) for v in i[1:5])
        return (x - mean) / torch.sqrt(var + float(np.float32(a.get("epsilon", 1e-5)))) * scale + bias
    if op == "MaxPool":
        pool = F.max_pool1d if x.ndim == 3 else F.max_pool2d
        return pool(x, a["kernel_shape"], a.get("strides"), a.get("pads", [0, 0])[0])
    if op == "AveragePool":
        return F.avg_pool2d(x, a["kernel_shape"], a.get("strides"))
    if op in ("GlobalAveragePool", "ReduceMean"):
        return x.mean(list(a.get("axes", range(2, x.ndim))), keepdim=bool(a.get("keepdims", 1)))
    if op == "Pad":
        pads = i[1].int().tolist() if len(i) > 1 else a["pads"]
        axes = [int(v) % x.ndim for v in i[3]] if len(i) > 3 else list(range(x.ndim))
        ends = {axis: (pads[k], pads[k + len(axes)]) for k, axis in enumerate(axes)}
        return F.pad(x, [p for axis in reversed(range(x.ndim)) for p in ends.get(axis, (0, 0))])
    if op == "Concat":
        return torch.cat(i, a["axis"])
    if op in ("Reshape", "Flatten", "Squeeze"):
        return x.reshape(len(x), -1)
    if op == "Transpose":
        return x.permute(list(a["perm"]))
    simple = {
        "Relu": lambda: x.relu(),
        "Add": lambda: x + i[1],
        "Sub": lambda: x - i[1],
        "Mul": lambda: x * i[1],
        "Div": lambda: x / i[1],
        "Identity": lambda: x,
        "Dropout": lambda: x,
        "Clip": lambda: x.clamp(*(i[1:] or (a["min"], a["max"]))),
    }
    return simple[op]()

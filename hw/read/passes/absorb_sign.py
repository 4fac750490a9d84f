"""σ into the weights: a negation that alone consumes a Conv or MatMul flips rows of its codes (design §2.4)."""

from __future__ import annotations

import numpy as np
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.ir.layers import smallest_format
from crq.hw.read.passes.readers import readers
from crq.hw.read.weights import weight_type

LARGEST_CODE = 127


def absorb_sign(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    """Remove every `Mul` by per-channel signs behind a sole-consumer MAC; returns (model, changed)."""
    changed = False
    for node in list(model.graph.node):
        if node.op_type != "Mul":
            continue
        signs = model.get_initializer(node.input[1])
        mac = model.find_producer(node.input[0])
        if signs is None or not np.isin(signs, (-1, 1)).all() or mac is None or mac.op_type not in ("Conv", "MatMul"):
            continue
        if readers(model, mac.output[0]) != 1:
            continue
        weights = model.get_initializer(mac.input[1])
        column = signs.reshape(-1)
        flipped = weights * (column if mac.op_type == "MatMul" else column.reshape(-1, *[1] * (weights.ndim - 1)))
        if flipped.max(initial=0) > LARGEST_CODE:
            continue  # -128 has no opposite of eight bits
        model.set_initializer(mac.input[1], flipped.astype(np.float32))
        model.set_tensor_datatype(mac.input[1], DataType[weight_type(mac, flipped.astype(np.int64))])
        low, high = _range_after(model, node.output[0], mac.output[0])
        mac.output[0] = node.output[0]
        model.set_tensor_datatype(node.output[0], DataType[smallest_format(low, high).qonnx])
        model.graph.node.remove(node)
        changed = True
    return model, changed


def _range_after(model: ModelWrapper, *names: str) -> tuple[int, int]:
    types = [model.get_tensor_datatype(n) for n in names]
    return int(min(t.min() for t in types)), int(max(t.max() for t in types))

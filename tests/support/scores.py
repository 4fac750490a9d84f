"""Files whose scores are their input: any values, ties and extremes can be put behind them."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto

from tests.support.qonnx_files import conv, graph_of, node, quant


def scores_of(classes: int, signed: int, size: int = 1, head: bool = False) -> ModelProto:
    """The scores are the input's own codes of 5 bits, of every pixel or of a vector."""
    rng = np.random.default_rng(classes)
    order = np.eye(classes, dtype=np.float32)[rng.permutation(classes)]
    constants = {"zero": np.float32(0), "bits": np.float32(5), "q_s": np.float32(0.25)}
    shape: tuple[int, ...] = (1, classes, size, size)
    product = conv("xq w", "y", "last", size=1)
    if size == 1:
        shape, product = (1, classes), node("MatMul", "xq w", "y", "last")
    constants["w"] = order if size == 1 else order.reshape(classes, classes, 1, 1)
    nodes = [quant("x", "xq", "q", signed=signed), product]
    if head:
        nodes.append(node("ArgMax", "y", "class", "end", axis=1, keepdims=0))
    return graph_of(nodes, constants, shape, output="class" if head else "y")

"""The integer graph's own operator, as qonnx executes it: a MultiThreshold whose thresholds are a progression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper
from qonnx.custom_op.base import CustomOp

from crq.hw.ir.progression import Progression

DOMAIN = "crq.hw.ir.custom_op"
"""qonnx imports the module of that name."""


def progression_of(node: NodeProto, lines: NDArray[Any]) -> Progression:
    """That of a node; `lines` (C, 3) are its second input."""
    told = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    b, slope, start = lines.astype(np.int64).T
    ends = bool(told["ties"]), told["least"], told["most"]
    return Progression(b, slope, told["fraction"], told["levels"], *ends, start)


class MultiThreshold(CustomOp):
    """x (N, C, ...), lines int64 (C, 3) -> out_bias + the number of entries of a channel that its values meet."""

    def get_nodeattr_types(self) -> dict[str, tuple[Any, ...]]:
        return {
            **dict.fromkeys(("fraction", "levels", "ties", "least", "most"), ("i", True, 0)),
            "out_dtype": ("s", True, ""), "out_scale": ("f", False, 1.0), "out_bias": ("f", False, 0.0),
            "data_layout": ("s", False, "NCHW"),
        }  # fmt: skip

    def make_shape_compatible_op(self, model: Any) -> NodeProto:
        return helper.make_node("Identity", [self.onnx_node.input[0]], list(self.onnx_node.output))

    def infer_node_datatype(self, model: Any) -> None:
        return None

    def verify_node(self) -> list[str]:
        return []

    def execute_node(self, context: dict[str, Any], graph: Any) -> None:
        node = self.onnx_node
        x = context[node.input[0]]
        met = progression_of(node, context[node.input[1]]).met(x.astype(np.int64).swapaxes(0, 1)).swapaxes(0, 1)
        context[node.output[0]] = (met + self.get_nodeattr("out_bias")).astype(x.dtype)


custom_op = {"MultiThreshold": MultiThreshold}

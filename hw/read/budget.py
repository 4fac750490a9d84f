"""What a file's constants may grow to when they are folded: one guard for every operator.

A result is bounded by its inputs' shapes before it is evaluated. What exists at a time bounds the memory, what was ever
made bounds the time: operators that each double what they read run into one or the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from crq.hw.read.refusals import refuse

MAX_FOLDED = 1 << 28
"""Most elements of one folded result."""

MAX_HELD = 1 << 29
"""Most elements of all folded results that exist at a time."""

MAX_MADE = 1 << 31
"""Most elements that are made while a file is read: five times AlexNet's unpacking."""

BROADCASTING = frozenset(("Add", "Sub", "Mul", "Div", "Pow", "Quant", "BipolarQuant"))


class Budget:
    """Counts the elements of one file's folded constants."""

    def __init__(self) -> None:
        self.held = self.made = 0

    def check(self, node: NodeProto, values: Sequence[NDArray[Any]]) -> None:
        """Refuse `node` on constants `values` if its result may be too large; nothing is evaluated."""
        size = most_elements(node, values)
        if size > MAX_FOLDED:
            refuse("too-large", node, f"would fold into {size:,} elements")
        if self.held + size > MAX_HELD or self.made + size > MAX_MADE:
            refuse("too-large", node, f"would fold into {size:,} elements beside {self.made:,} of other constants")

    def keep(self, elements: int) -> None:
        self.held += elements
        self.made += elements

    def release(self, elements: int) -> None:
        self.held -= elements


def most_elements(node: NodeProto, values: Sequence[NDArray[Any]]) -> int:
    """An upper bound on the elements of a folded operator's result. Raises ValueError or IndexError for bad shapes."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    shapes = [v.shape for v in values]
    axis = attributes.get("axis", 0)
    if node.op_type == "Concat" and not -len(shapes[0]) <= axis < len(shapes[0]):
        # onnx's reference implementation would make a tensor of that many axes
        raise ValueError(f"axis {axis} of a tensor of shape {shapes[0]}")
    if node.op_type in BROADCASTING:
        return math.prod(np.broadcast_shapes(*shapes))
    if node.op_type == "Gather":
        data, indices = shapes
        axis = range(len(data))[int(attributes.get("axis", 0))]
        return math.prod(indices) * math.prod(data[:axis] + data[axis + 1 :])
    if node.op_type in ("BatchNormalization", "DequantizeLinear"):
        # Parameters of another length than their axis broadcast in the reference implementation.
        block = int(attributes.get("block_size", 0))
        axis = range(max(len(shapes[0]), 1))[int(attributes.get("axis", 1 if len(shapes[0]) > 1 else 0))]
        length = shapes[0][axis] if shapes[0] else 1
        largest = max((math.prod(s) for s in shapes[1:]), default=1)
        size = math.prod(shapes[0])
        return max(size, largest * block) if block else size if largest in (1, length) else size * largest
    return sum(math.prod(s) for s in shapes)  # Concat; all others give no more elements than they read

"""What handlers of the reader share: the values read so far and the graph being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from crq.hw.ir.joined import Names
from crq.hw.ir.metadata import FileTensor
from crq.hw.read.budget import Budget
from crq.hw.read.constants import Constant
from crq.hw.read.emit import Emitter
from crq.hw.read.refusals import refuse
from crq.hw.read.values import Codes, Int, Levels, Pending, Raw, Scale, Sizes, Value, View

_WRAPPERS = {"export_handler", "activation_impl"}
"""Path components Brevitas adds to the names of a user's modules."""


class InputPart(NamedTuple):
    """Codes that the host makes of an input or a part of it, and how (fields of crq.hw.ir.ends.InputFacts)."""

    codes: Codes
    facts: dict[str, Any]


@dataclass
class InputPort:
    """An input, of `shape` channels first, that carries `names` of the file's. codes: those of the integer graph, and
    facts: of crq.hw.ir.ends, once they are known. parts: by their first channel; of a whole input 0."""

    name: str
    names: Names
    shape: Sizes
    codes: Int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    parts: dict[int, InputPart] = field(default_factory=dict)


class Context:
    """State of one reading. Handlers are functions (context, node) → Value."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.values: dict[str, Value | Levels | View] = {}
        self.constants: dict[str, Constant] = {}
        self.layouts: dict[str, Any] = {}  # crq.hw.read.layout: how the file orders a value's axes, where not as read
        self.budget = Budget()
        self.folded: set[str] = set()  # constants that count against the budget
        self.emit = Emitter()
        self.ties: dict[str, list[int]] = {}
        self.ports: dict[str, InputPort] = {}  # by the name of the input
        self.sources: dict[str, FileTensor] = {}
        self.scaled_back: dict[str, Codes] = {}  # by a QuantizeLinear's result: one of its DequantizeLinears

    def input_name(self, port: InputPort) -> str:
        """That of the integer graph, near which a name is free: of several ports the file's."""
        return port.names[0][0] if len(self.ports) > 1 and len(port.names) == 1 else "input"

    def attributes(self, node: NodeProto) -> dict[str, Any]:
        return {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def name(self, node: NodeProto) -> str:
        """The node's name as a path of modules: exporters' wrappers and repeated prefixes left out."""
        parts: list[str] = []
        for part in (node.name or node.output[0]).split("/"):
            if not part or part in _WRAPPERS or part == node.op_type:
                continue
            if parts and part.startswith(f"{parts[-1]}."):
                parts.pop()
            parts.append(part)
        return "_".join(parts) or node.name or node.output[0]

    def record_source(self, layer: str, node: NodeProto, scale: Scale) -> None:
        """`layer` gives the codes of `node`'s result; not recorded where the file flattens channels last."""
        layout = self.layouts.get(node.output[0])
        if layout is None or isinstance(layout, str):
            order = "NCHW" if layout is None else "NHWC"
            self.sources[layer] = FileTensor(node.output[0], np.asarray(scale).tolist(), order)

    def keep(self, name: str, constant: Constant) -> None:
        """Record the result of constant folding."""
        self.budget.keep(constant.elements)
        self.folded.add(name)
        self.constants[name] = constant

    def release(self, name: str) -> None:
        """Forget a constant that nothing reads any more."""
        constant = self.constants.pop(name, None)
        if constant is not None and name in self.folded:
            self.budget.release(constant.elements)

    def value(self, node: NodeProto, index: int = 0) -> Value:
        """Input `index`, which is computed from data; refuses if it is not."""
        name = node.input[index] if index < len(node.input) else ""
        if name not in self.values:
            found = "a constant" if name in self.constants else "missing"
            refuse("malformed", node, f"its input {index} is {found}; expected values computed from the input")
        value = self.values[name]
        if isinstance(value, Levels):
            refuse("between-linear", node)
        assert not isinstance(value, View), "made before a handler reads it"
        return value

    def levels(self, node: NodeProto) -> Levels | None:
        """Input 0 if it is integers of a QuantizeLinear, else None."""
        value = self.values.get(node.input[0])
        return value if isinstance(value, Levels) else None

    def shape(self, node: NodeProto) -> tuple[int, ...]:
        """Shape of input 0 without the batch."""
        return self.value(node).shape

    def is_constant(self, node: NodeProto, index: int) -> bool:
        return index < len(node.input) and node.input[index] in self.constants

    def constant(self, node: NodeProto, index: int) -> Constant:
        """Input `index` as a constant; refuses if it is computed from data or missing."""
        if index >= len(node.input) or node.input[index] not in self.constants:
            refuse("dynamic-parameter", node, f"its input {index} is not constant")
        constant = self.constants[node.input[index]]
        if constant.value.dtype.kind not in "fiub":
            refuse("malformed", node, f"its input {index} is of type {constant.value.dtype}; expected real numbers")
        return constant

    def integers(self, node: NodeProto, index: int) -> list[int]:
        """Constant input `index` as a list of integers, such as axes, pads or a shape."""
        values = self.constant(node, index).value.reshape(-1)
        if values.dtype.kind == "f" and (values != np.rint(values)).any():  # NaN equals nothing
            refuse("malformed", node, f"its input {index} is {values.tolist()}; expected integers")
        if not np.isfinite(values.astype(np.float64)).all():
            refuse("malformed", node, f"its input {index} is {values.tolist()}; expected integers")
        return [int(v) for v in values]

    def number(self, node: NodeProto, index: int) -> float:
        array = self.constant(node, index).value
        if array.size != 1 or not np.isfinite(float(array.reshape(()))):
            refuse("malformed", node, f"its input {index} is not one finite number")
        return float(array.reshape(()))

    def per_channel(self, node: NodeProto, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """A constant that broadcasts against (1, *shape), as () or (C,), in its stored precision."""
        array = np.asarray(array)
        if array.dtype.kind != "f":
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            refuse("not-finite", node)
        if array.size == 1:
            return array.reshape(())
        dims = (1,) * (len(shape) + 1 - array.ndim) + array.shape
        if len(dims) != len(shape) + 1 or dims[0] != 1 or dims[1] not in (1, shape[0]) or any(d != 1 for d in dims[2:]):
            refuse("spatial-constant", node, f"a constant of shape {array.shape} against a tensor of shape {shape}")
        return array.reshape(-1)

    def scale(self, node: NodeProto, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """That of a quantizer, () or (C,): one per channel that is the same in all is one."""
        scale = self.per_channel(node, array, shape).astype(np.float32)
        if not (scale > 0).all():
            refuse("not-finite", node, f"its scale is {scale}")
        return scale.reshape(-1)[0].reshape(()) if scale.size and (scale == scale.flat[0]).all() else scale

    def pending(self, node: NodeProto, index: int = 0) -> Pending:
        value = self.value(node, index)
        if isinstance(value, Raw):
            refuse("input-not-quantized", node)
        return value.pending() if isinstance(value, Codes) else value

    def has_codes(self, node: NodeProto, index: int) -> bool:
        """Whether input `index` is integers of one scale, but for an offset."""
        value = self.value(node, index)
        return isinstance(value, Codes) or (isinstance(value, Pending) and _one_affine(value) is not None)

    def codes(self, node: NodeProto, index: int = 0, depthwise: bool = False) -> Codes:
        """Input `index` as integers of one scale, or for a `depthwise` operator of one per channel.

        A scalar affine chain with an integer offset is absorbed.
        """
        value = self.value(node, index)
        if isinstance(value, Raw):
            refuse("input-not-quantized", node)
        if isinstance(value, Codes):
            if np.ndim(value.scale) and not depthwise:
                refuse("per-channel-activation", node, "its input has one scale per channel")
            return value
        affine = _one_affine(value)
        if affine is None:
            refuse("not-quantized", node)
        gain, offset = affine
        steps = offset / gain
        if steps != np.rint(steps):
            refuse("not-quantized", node, f"its input is offset by {offset}, no multiple of its scale {gain}")
        x = value.int
        if steps:
            x = self.emit.bias(f"{self.name(node)}_offset", x, np.full(x.channels, int(steps)))
        return Codes(x, np.float64(gain))


def _one_affine(value: Pending) -> tuple[float, float] | None:
    """(gain, offset) of a chain that is affine, rising, and the same in all channels."""
    affine = value.chain.affine()
    if affine is None or np.ptp(affine[0]) or np.ptp(affine[1]) or affine[0][0] <= 0:
        return None
    return affine[0][0], affine[1][0]

"""Constant folding: everything a file computes from constants alone, such as unpacking 2-bit weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from crq.hw.errors import HwError
from crq.hw.read.budget import Budget
from crq.hw.read.linear import ENDS, Ends, along_axis, quantized, type_ends
from crq.hw.read.old_opsets import BELOW
from crq.hw.read.refusals import refuse
from crq.hw.read.rounding import bounds, rounding

FOLDED = frozenset(
    ("Add", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "DequantizeLinear", "Div", "Flatten", "Gather")
    + ("Identity", "Mul", "Neg", "Pow", "QuantizeLinear", "Reshape", "Slice", "Sqrt", "Squeeze", "Sub", "Transpose")
    + ("Unsqueeze",)
)
"""Standard operators evaluated on constants (by onnx's reference implementation)."""


EVALUATION_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What the reference implementation raises for inputs that an operator does not take."""


class Constant(NamedTuple):
    """A constant tensor; if it went through a quantizer, also its integer codes and their scale (broadcastable).

    `ends`: of a type of less than eight bits, which NumPy lacks.
    """

    value: NDArray[Any]
    codes: NDArray[np.int64] | None = None
    scale: NDArray[np.float64] | None = None
    ends: Ends | None = None

    @property
    def elements(self) -> int:
        return sum(part.size for part in self[:3] if part is not None)


def from_tensor(node: str, tensor: Any) -> Constant:
    """The value of an initializer; INT2/INT4 come as int8, float types that NumPy lacks as the float32 they are."""
    ends = None
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, LookupError) as error:
        refuse("malformed", f"initializer {node!r}", f"cannot be decoded ({error})")
    if array.dtype.name in ("int2", "uint2", "int4", "uint4"):
        array, ends = array.astype(np.int8), ENDS[tensor.data_type]
    elif array.dtype.kind == "V":
        array = array.astype(np.float32)
    return Constant(array, ends=ends)


def fold(node: NodeProto, inputs: list[Constant | None], opset: int, budget: Budget) -> Constant:
    """The result of `node` on constants. Raises `HwError` for operators and sizes outside the folded set."""
    present = [i for i in inputs if i is not None]
    if node.op_type == "Shape":
        return Constant(shape_slice(node, present[0].value.shape))
    if (node.op_type not in FOLDED and node.op_type not in ("Quant", "BipolarQuant")) or len(node.output) != 1:
        refuse("unsupported-op", node, f"{node.op_type} of constants is not folded")
    try:
        _refuse_text(node, [i.value for i in present])
        _refuse_wrong_scales(node, [i.value for i in present])
        budget.check(node, [i.value for i in present])
        if node.op_type == "Quant":
            return _quant(node, present)
        if node.op_type == "BipolarQuant":
            return _bipolar_quant(present)
        if node.op_type == "QuantizeLinear":
            return _quantize_linear(node, inputs)
        if node.op_type == "DequantizeLinear" and present[0].value.dtype.kind in "iu":
            return _dequantize_linear(node, present, opset)
        value = _evaluate(node, inputs, opset)
        if ends := _ends_behind(node, present, value):
            return Constant(value.astype(np.int8), ends=ends)
        if present and present[0].codes is not None and node.op_type in ("Transpose", "Reshape", "Identity"):
            return _moved(node, inputs, opset, present[0], value)
    except HwError:
        raise
    except EVALUATION_ERRORS as error:
        refuse("malformed", node, f"cannot be evaluated ({error or type(error).__name__})")
    return Constant(value)


SMALL = {"int2": (-2, 1), "uint2": (0, 3), "int4": (-8, 7), "uint4": (0, 15)}
"""Types of less than eight bits, by their names in NumPy, and their ranges."""
MOVING = ("Clip", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")


def _ends_behind(node: NodeProto, inputs: list[Constant], value: NDArray[Any]) -> Ends | None:
    """The range of the result's type, if that has less than eight bits: NumPy has such numbers as int8.

    Refuses an operator that would forget it.
    """
    if value.dtype.name in SMALL:
        return SMALL[value.dtype.name]
    kind = next((a.i for a in node.attribute if node.op_type == "Cast" and a.name == "to"), None)
    if kind is None:  # a Constant's tensor
        kind = next((a.t.data_type for a in node.attribute if node.op_type == "Constant" and a.name == "value"), None)
    if kind in ENDS and ENDS[kind] in SMALL.values():
        return ENDS[kind]
    small = next((i.ends for i in inputs if i.ends is not None), None)
    if small is None or node.op_type in ("Cast", "DequantizeLinear"):
        return None
    if node.op_type not in MOVING:
        refuse("unsupported-op", node, f"{node.op_type} of constants of less than eight bits is not folded")
    return small if inputs[0].ends is not None else None


def _refuse_text(node: NodeProto, values: list[NDArray[Any]]) -> None:
    to_text = node.op_type == "Cast" and any(a.name == "to" and a.i == TensorProto.STRING for a in node.attribute)
    if to_text or any(v.dtype.kind in "OSU" for v in values):
        refuse("unsupported-op", node, f"{node.op_type} of text is not folded")


def _refuse_wrong_scales(node: NodeProto, values: list[NDArray[Any]]) -> None:
    """A DequantizeLinear has one scale, one per index of an axis, or with a block size as many axes as its input."""
    if node.op_type != "DequantizeLinear" or len(values) < 2 or values[1].ndim < 2:
        return
    blocks = any(a.name == "block_size" and a.i for a in node.attribute)
    if not blocks or values[1].ndim != values[0].ndim:
        given = f"scales of shape {values[1].shape} for a tensor of shape {values[0].shape}"
        refuse("malformed", node, f"{given}; expected one number, one per index of its axis, or a block_size")


def shape_slice(node: NodeProto, shape: Sequence[int]) -> NDArray[np.int64]:
    """The result of a Shape node, which may ask for a part (from opset 15 on)."""
    attributes = {a.name: a.i for a in node.attribute}
    return np.array(shape[attributes.get("start", 0) : attributes.get("end", len(shape))], np.int64)


def _evaluate(node: NodeProto, inputs: list[Constant | None], opset: int) -> NDArray[Any]:
    below, own = BELOW.get(node.op_type, (0, None))
    if own and opset < below:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        return own(*(None if i is None else i.value for i in inputs), **attributes)
    names = [n for n in node.input if n]
    values = [i.value for i in inputs if i is not None]
    # The reference evaluator reads its inputs by name: give every position a name of its own.
    local = NodeProto()
    local.CopyFrom(node)
    fresh = iter(range(len(names)))
    renamed = [f"i{next(fresh)}" if n else "" for n in node.input]
    del local.input[:]
    local.input.extend(renamed)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for n, v in zip([r for r in renamed if r], values, strict=True)
    ]
    graph = helper.make_graph([local], "fold", infos, [helper.make_empty_tensor_value_info(node.output[0])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    result: Any = ReferenceEvaluator(model).run(None, {i.name: v for i, v in zip(infos, values, strict=True)})
    return np.asarray(result[0])


def _moved(
    node: NodeProto, inputs: list[Constant | None], opset: int, source: Constant, value: NDArray[Any]
) -> Constant:
    """Codes and scale follow their tensor through a transpose or reshape, where the scale's shape allows it."""
    assert source.codes is not None
    assert source.scale is not None
    codes = _evaluate(node, [Constant(source.codes), *inputs[1:]], opset)
    scale = source.scale
    if scale.size > 1:
        full = np.broadcast_to(scale, source.codes.shape)
        scale = _evaluate(node, [Constant(np.ascontiguousarray(full)), *inputs[1:]], opset)
    return Constant(value, codes, scale)


def _bipolar_quant(inputs: list[Constant]) -> Constant:
    scale = np.asarray(inputs[1].value, np.float64)
    codes = np.where(inputs[0].value >= 0, 1, -1).astype(np.int64)
    return Constant((codes * scale).astype(np.float32), codes, scale)


def _quantize_linear(node: NodeProto, inputs: list[Constant | None]) -> Constant:
    x, scale, zero = (*inputs, None)[:3]
    assert x is not None
    assert scale is not None
    ends = type_ends(node, None if zero is None else zero.value, None if zero is None else zero.ends)
    whole = quantized(node, x.value, scale.value, None if zero is None else zero.value, ends)
    least = {e: t for t, e in reversed(ENDS.items())}[ends]
    if ends in SMALL.values():
        return Constant(whole.astype(np.int8), ends=ends)
    return Constant(whole.astype(helper.tensor_dtype_to_np_dtype(least)))


def _dequantize_linear(node: NodeProto, inputs: list[Constant], opset: int) -> Constant:
    """Integers less their zero point are codes; blocks of an axis have no scale that an exact sum could take out."""
    value = _evaluate(node, list(inputs), opset)
    x, scale = inputs[0].value.astype(np.int64), np.asarray(inputs[1].value, np.float64)
    if any(a.name == "block_size" and a.i for a in node.attribute) or not (scale > 0).all():
        return Constant(value)
    zero = along_axis(node, inputs[2].value.astype(np.int64), x.ndim) if len(inputs) > 2 else np.int64(0)
    return Constant(value, x - zero, along_axis(node, scale, x.ndim))


def _quant(node: NodeProto, inputs: list[Constant]) -> Constant:
    """Weights through a Quant: round(clip(w/s + z)) in float64, as everything that has a general scale (§2.13)."""
    value, scale, zero, bits = (np.asarray(i.value, np.float64) for i in inputs)
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if zero.any():
        refuse("weight-zero-point", node)
    if not (scale > 0).all() or not np.isfinite(scale).all():
        refuse("not-finite", node, "its scale is not a positive number")
    low, high = bounds(node, bits, bool(attributes.get("signed", 1)), bool(attributes.get("narrow", 0)), 32)
    codes = rounding(node, attributes)(np.clip(value / scale, low, high))
    if not np.isfinite(codes).all():
        refuse("not-finite", node)
    return Constant((codes * scale).astype(np.float32), codes.astype(np.int64), scale)

"""QuantizeLinear and DequantizeLinear: integers of a type, a scale and a zero point, as QDQ and QCDQ files have."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from crq.hw.read.refusals import refuse

Ends = tuple[int, int]

ENDS: dict[int, Ends] = {
    TensorProto.UINT8: (0, 255), TensorProto.INT8: (-128, 127), TensorProto.UINT16: (0, 65535),
    TensorProto.INT16: (-32768, 32767), TensorProto.INT32: (-(1 << 31), (1 << 31) - 1), TensorProto.UINT4: (0, 15),
    TensorProto.INT4: (-8, 7), getattr(TensorProto, "UINT2", -1): (0, 3), getattr(TensorProto, "INT2", -2): (-2, 1),
}  # fmt: skip
"""Lowest and highest value of the types that a QuantizeLinear may give, and a weight may have."""


def type_ends(node: NodeProto, zero: NDArray[Any] | None, zero_ends: Ends | None) -> Ends:
    """The range of a QuantizeLinear's type: that of its zero point (`zero_ends` where NumPy has no such type), else its
    attribute output_dtype, else uint8."""
    if zero_ends is not None:
        return zero_ends
    asked = next((a.i for a in node.attribute if a.name == "output_dtype" and a.i), TensorProto.UINT8)
    kind = asked if zero is None else helper.np_dtype_to_tensor_dtype(zero.dtype)
    if kind not in ENDS:
        refuse("unsupported-op", node, f"quantizes to {TensorProto.DataType.Name(kind)}; expected integers")
    return ENDS[kind]


def along_axis(node: NodeProto, parameter: NDArray[Any], rank: int) -> NDArray[Any]:
    """A scale or zero point as it broadcasts against a tensor of `rank`: one number, or one per index of `axis`."""
    if parameter.size == 1:
        return parameter.reshape(())
    attributes = {a.name: a.i for a in node.attribute if a.name in ("axis", "block_size")}
    axis = attributes.get("axis", 1)
    if attributes.get("block_size") or parameter.ndim != 1 or not -rank <= axis < rank:
        refuse("weight-scale", node, f"scales of shape {parameter.shape}, axis {axis}, for a tensor of {rank} axes")
    return parameter.reshape([-1 if a == axis % rank else 1 for a in range(rank)])


def quantized(node: NodeProto, x: NDArray[Any], scale: NDArray[Any], zero: NDArray[Any] | None, ends: Ends) -> Any:
    """QuantizeLinear of a constant, in float64: round half to even, add the zero point, saturate."""
    if not np.isfinite(x).all() or not (scale > 0).all():
        refuse("not-finite", node)
    step = along_axis(node, scale.astype(np.float64), x.ndim)
    shift = 0 if zero is None else along_axis(node, zero.astype(np.int64), x.ndim)
    wide = np.clip(np.rint(x.astype(np.float64) / step) + shift, *ends)
    return wide.astype(np.int64)

"""Weight constants to integer codes and one scale per tensor or output channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from crq.hw.ir.layers import IntArray
from crq.hw.read.constants import Constant
from crq.hw.read.refusals import refuse

TYPES = (("TERNARY", -1, 1), ("INT4", -8, 7), ("INT8", -128, 127))


class Weights(NamedTuple):
    """codes int64 with output channels first; scale float64, () or (O,); `type` a qonnx DataType name."""

    codes: IntArray
    scale: NDArray[np.float64]
    type: str


def weights_of(node: NodeProto, constant: Constant) -> Weights:
    """Codes of a constant whose axis 0 is the output channel. Raises `HwError` for weights that are no codes."""
    if constant.value.ndim < 2 or not constant.value.size:
        refuse("malformed", node, f"weights of shape {constant.value.shape}")
    if not np.isfinite(np.asarray(constant.value, np.float64)).all():
        refuse("not-finite", node, "its weights are infinite or NaN")
    if constant.codes is not None and constant.scale is not None:
        codes, scale = constant.codes, _per_output(node, constant.scale, constant.codes)
    else:
        codes, scale = _infer(node, np.asarray(constant.value, np.float64))
    return Weights(codes, scale, weight_type(node, codes))


def weight_type(node: NodeProto | str, codes: IntArray) -> str:
    """The narrowest of BIPOLAR, TERNARY, INT4, INT8 that holds `codes`."""
    if codes.size and (np.abs(codes) == 1).all():
        return "BIPOLAR"
    for name, low, high in TYPES:
        if not codes.size or (low <= codes.min() and codes.max() <= high):
            return name
    refuse("weights-not-integers", node, f"weight codes from {codes.min()} to {codes.max()}: expected [-128, 127]")


def _per_output(node: NodeProto, scale: NDArray[np.float64], codes: IntArray) -> NDArray[np.float64]:
    if scale.size == 1:
        return scale.reshape(())
    rows = np.broadcast_to(scale, codes.shape).reshape(codes.shape[0], -1)
    if (rows != rows[:, :1]).any():
        refuse("weight-scale", node)
    return rows[:, 0].copy()


def _infer(node: NodeProto, values: NDArray[np.float64]) -> tuple[IntArray, NDArray[np.float64]]:
    """Weights stored as plain floats: {-α, 0, +α} per tensor or else per output channel, else integers as they are.

    Ternary first, for {-2, 0, 2} are integers too, but as codes of an integer layer they would need multipliers.
    """
    rows = np.abs(values.reshape(values.shape[0], -1))
    alpha = rows.max(axis=1, initial=0)
    if ((rows == 0) | (rows == alpha[:, None])).all():
        codes = np.sign(values).astype(np.int64)
        if len(np.unique(alpha[alpha > 0])) <= 1:
            return codes, np.asarray(alpha.max(initial=0) or 1.0)
        return codes, np.where(alpha > 0, alpha, 1.0)
    low, high = values.min(), values.max()
    if (values == np.rint(values)).all():
        if low >= -128 and high <= 127:
            return values.astype(np.int64), np.asarray(1.0)
        refuse("weights-not-integers", node, f"its weights are integers from {low:g} to {high:g}: expected [-128, 127]")
    distinct = len(np.unique(values))
    refuse("weights-not-integers", node, f"its weights take {distinct} distinct values and are not ternary")

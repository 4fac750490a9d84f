"""Exact integer intervals."""

from __future__ import annotations

import numpy as np
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper

from crq.hw.errors import HwError
from crq.hw.ir.ends import InputFacts
from crq.hw.ir.layers import IntArray


def sum_range(codes: IntArray, lo: IntArray, hi: IntArray, groups: int) -> tuple[IntArray, IntArray]:
    """Per output channel, the interval of Σ code·x and of every partial sum in any order.

    codes (O, I/groups, …); x in [lo, hi] per input channel, or 0 where padded: each term's interval includes 0.
    """
    codes = codes.reshape(codes.shape[0], codes.shape[1], -1)
    group = np.arange(codes.shape[0]) // max(codes.shape[0] // groups, 1)
    index = group[:, None] * codes.shape[1] + np.arange(codes.shape[1])
    low, high = np.minimum(lo, 0)[index][..., None], np.maximum(hi, 0)[index][..., None]
    positive, negative = np.maximum(codes, 0), np.minimum(codes, 0)
    return (positive * low + negative * high).sum((1, 2)), (positive * high + negative * low).sum((1, 2))


def input_range(model: ModelWrapper, name: str, facts: InputFacts, channels: int) -> tuple[IntArray, IntArray]:
    """Lowest and highest code of an input, per channel: those of its data type, or fewer (metadata
    `crq.input.range`)."""
    dtype = DataType[model.get_tensor_datatype(name).name]
    lowest, highest = int(dtype.min()), int(dtype.max())
    ends = [np.asarray(end, np.int64) for end in facts.range or (lowest, highest)]
    if (
        any(end.size not in (1, channels) for end in ends)
        or not ((lowest <= ends[0]) & (ends[0] <= ends[1]) & (ends[1] <= highest)).all()
    ):
        expected = f"[lowest, highest] code of the input, within {dtype.name}"
        raise HwError(f"metadata crq.input.range '{[end.tolist() for end in ends]}': expected {expected}")
    lo, hi = (np.broadcast_to(end, channels).copy() for end in ends)
    return lo, hi

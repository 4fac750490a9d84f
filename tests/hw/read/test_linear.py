"""The parameters of QuantizeLinear: ranges of types, scales along an axis, constants quantized in float64."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from crq.hw.errors import HwError
from crq.hw.read.linear import along_axis, quantized, type_ends


def quantizer(**attributes: object):
    return helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], "q", **attributes)


def test_the_type_is_that_of_the_zero_point_or_the_attribute() -> None:
    assert type_ends(quantizer(), np.int8(0), None) == (-128, 127)
    assert type_ends(quantizer(), np.int8(0), (-8, 7)) == (-8, 7)
    assert type_ends(quantizer(output_dtype=TensorProto.INT16), None, None) == (-32768, 32767)
    assert type_ends(quantizer(), None, None) == (0, 255)
    with pytest.raises(HwError, match="quantizes to FLOAT8E4M3FN; expected integers"):
        type_ends(quantizer(output_dtype=TensorProto.FLOAT8E4M3FN), None, None)


def test_parameters_lie_along_their_axis() -> None:
    values = np.arange(3.0)
    assert along_axis(quantizer(), values, 4).shape == (1, 3, 1, 1)
    assert along_axis(quantizer(axis=-1), values, 2).shape == (1, 3)
    assert along_axis(quantizer(axis=7), values[:1], 2).shape == ()
    for attributes in ({"axis": 2}, {"block_size": 2}):
        with pytest.raises(HwError, match=r"\[weight-scale\]"):
            along_axis(quantizer(**attributes), values, 2)


def test_constants_are_rounded_half_to_even_before_the_zero_point() -> None:
    x = np.array([0.5, 1.5, -0.5, 400.0], np.float32)
    found = quantized(quantizer(), x, np.ones(1, np.float32), np.array(1, np.int8), (-128, 127))
    assert found.tolist() == [1, 3, 1, 127]
    with pytest.raises(HwError, match=r"\[not-finite\]"):
        quantized(quantizer(), np.array([np.inf]), np.ones(1), None, (0, 255))

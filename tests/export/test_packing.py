"""2-bit packing: the byte layout of ONNX INT2."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from onnx import TensorProto, helper, numpy_helper

from crq.export.errors import ExportError
from crq.export.packing import pack, unpack, unpack_table

codes = hnp.arrays(np.int8, hnp.array_shapes(min_dims=1, max_dims=4, max_side=7), elements=st.integers(-1, 1))


@given(codes)
def test_round_trip_and_size(array: np.ndarray) -> None:
    packed = pack(array)
    assert packed.dtype == np.uint8
    assert packed.size == -(-array.size // 4)
    np.testing.assert_array_equal(unpack(packed, array.shape), array)


@given(codes)
def test_layout_is_onnx_int2(array: np.ndarray) -> None:
    """Golden: onnx's own reader of INT2 tensors."""
    tensor = helper.make_tensor("w", TensorProto.INT2, array.shape, pack(array).tobytes(), raw=True)
    onnx.checker.check_tensor(tensor)
    np.testing.assert_array_equal(numpy_helper.to_array(tensor).astype(np.int8), array)


def test_known_bytes() -> None:
    assert pack(np.array([1, -1, 0, 1, -1])).tolist() == [0b01_00_11_01, 0b11]
    assert unpack_table()[0b01_00_11_01].tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize("bad", [[2], [-2], [0, 1, 127]])
def test_other_codes_are_refused(bad: list[int]) -> None:
    with pytest.raises(ExportError, match="codes outside"):
        pack(np.array(bad))


@pytest.mark.parametrize(
    ("data", "shape", "message"),
    [([0b10], (1,), "no ternary code"), ([0, 0], (3,), "cannot hold"), ([0b0100], (1,), "padding")],
)
def test_bad_bytes_are_refused(data: list[int], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        unpack(np.array(data, np.uint8), shape)

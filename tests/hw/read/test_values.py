"""What a tensor of the file is while it is read: codes are worth their scale."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.read.values import Codes, Int


@pytest.mark.parametrize("scale", [np.float32(0.1), np.array([0.5, 0.1], np.float32)])
def test_codes_read_as_floats_are_code_times_scale_in_float64(scale) -> None:
    codes = Codes(Int("x", (2, 3, 3), np.array([-8, -8]), np.array([7, 7])), scale)
    pending = codes.pending()
    assert pending.int is codes.int
    integers = np.array([[-8, 0, 7], [-3, 1, 5]])
    expected = integers * (np.asarray(scale, np.float64).reshape(-1, 1))
    assert pending.chain(integers, np.float64).tolist() == expected.tolist()
    assert pending.chain.signs.tolist() == [1, 1]


def test_channels_come_first() -> None:
    assert Int("x", (5, 2, 3), np.zeros(5), np.zeros(5)).channels == 5

"""Which codes float64 decides: those beside a boundary it does not, those exactly on it where no rounding took part."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.verify.float64.ties import TIE, undecided
from tests.support.qonnx_files import node

X = np.array([0.5, 0.5 + TIE / 2, 0.5 + 3 * TIE, 1.0, 1 - TIE / 2, 7.5, 20.5, 15.5, 3.0])


@pytest.mark.parametrize(
    ("rounding", "scale", "expected"),
    [
        ("ROUND", 0.3, [0, 1]),  # 7.5 and more are clipped to the last code, 7
        ("ROUND", 0.25, [1]),  # 0.5 is exact
        ("FLOOR", 0.3, [3, 4, 8]),
        ("CEIL", 0.25, [4]),
        ("DOWN", 0.25, [4]),
    ],
)
def test_what_is_decided_depends_on_mode_range_and_scale(rounding: str, scale: float, expected: list[int]) -> None:
    quantizer = node("Quant", "x s zero bits", "y", signed=1, narrow=0, rounding_mode=rounding)
    values = {"x": X * scale, "s": np.array(scale), "zero": np.array(0.0), "bits": np.array(4.0)}
    assert np.flatnonzero(undecided(quantizer, values)).tolist() == expected


def test_what_is_decided_of_other_quantizers() -> None:
    x = np.array([0.0, 1e-12, 1.0, 0.5, 0.5 - 1e-12, -2.0])
    values = {"x": x, "s": np.array(0.3), "t": np.array([[0.0, 0.5]])}
    assert np.flatnonzero(undecided(node("BipolarQuant", "x s", "y"), values)).tolist() == [1]
    assert np.flatnonzero(undecided(node("MultiThreshold", "x t", "y"), values | {"x": x[:, None]})).tolist() == [1, 4]
    assert np.flatnonzero(undecided(node("Round", "x", "y"), values)).tolist() == [3, 4]

"""The parameters of a Quant: the four rounding modes at and between ties, and the ranges of 1 to 8 bits."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.read import read_qonnx
from crq.hw.read.rounding import bounds, rounding
from tests.support.qonnx_files import IN, base, conv, graph_of, node

QUANT = node("Quant", "x s z b", "y", "act")
VALUES = np.array([-2.5, -1.5, -1.2, -0.5, 0.5, 1.2, 1.5, 2.5])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ROUND", [-2, -2, -1, 0, 0, 1, 2, 2]),
        ("CEIL", [-2, -1, -1, 0, 1, 2, 2, 3]),
        ("FLOOR", [-3, -2, -2, -1, 0, 1, 1, 2]),
        ("ROUND_TO_ZERO", [-2, -1, -1, 0, 0, 1, 1, 2]),
    ],
)
def test_modes_at_ties_and_between(mode: str, expected: list[int]) -> None:
    for spelling in (mode, mode.lower(), mode.encode()):
        assert rounding(QUANT, {"rounding_mode": spelling})(VALUES).tolist() == expected


def test_without_a_mode_half_goes_to_even() -> None:
    assert rounding(QUANT, {})(VALUES).tolist() == [-2, -2, -1, 0, 0, 1, 2, 2]


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(HwError, match=r"'act' \(Quant\): rounding mode 'HALF_UP'.*use ROUND.*\[rounding-mode\]"):
        rounding(QUANT, {"rounding_mode": b"half_up"})


@pytest.mark.parametrize(
    ("bits", "signed", "narrow", "expected"),
    [
        (1, False, False, (0, 1)), (2, True, True, (-1, 1)), (2, True, False, (-2, 1)), (2, False, True, (0, 2)),
        (4, False, False, (0, 15)), (8, True, False, (-128, 127)), (8, True, True, (-127, 127)),
        (8, False, False, (0, 255)),
    ],
)  # fmt: skip
def test_ranges_worked_out_by_hand(bits: int, signed: bool, narrow: bool, expected: tuple[int, int]) -> None:
    assert bounds(QUANT, np.array([[bits]], np.float32), signed, narrow) == expected


@pytest.mark.parametrize("bits", [0, 9, 2.5, -1])
def test_other_widths_are_named(bits: float) -> None:
    with pytest.raises(HwError, match=rf"'act' .*bit width \[{bits}.*expected 1 to 8.*\[activation-bits\]"):
        bounds(QUANT, np.array([bits], np.float64), True, False)
    with pytest.raises(HwError, match=r"bit width \[4.0, 4.0\]"):
        bounds(QUANT, np.array([4, 4], np.float32), True, False)


@pytest.mark.parametrize("attributes", [{"signed": 1, "narrow": 0}, {"signed": 1, "narrow": 1}, {"narrow": 1}])
@pytest.mark.parametrize("weights", [False, True])
def test_one_bit_that_is_not_zero_and_one_is_refused(attributes, weights: bool) -> None:
    """qonnx computes ±1 for one signed bit, whose range says {-1, 0}; narrow ones have a single code."""
    attributes = {"signed": 0} | attributes
    x, head = ("w", "xq wq") if weights else ("c", "xq w")
    one_bit = node("Quant", f"{x} q1_s zero one", "wq" if weights else "y", "narrow", **attributes)
    nodes = [IN, one_bit, conv(head, "y")] if weights else [IN, conv(head, "c"), one_bit]
    with pytest.raises(HwError, match=r"'narrow'.*BipolarQuant.*\[activation-bits\]"):
        read_qonnx(graph_of(nodes, base() | {"one": np.float32(1)}))

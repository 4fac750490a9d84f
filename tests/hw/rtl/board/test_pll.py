"""PLLs: the dividers of the families' own tools, within the limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crq.hw.errors import HwError
from crq.hw.rtl.board.pll import ECP5, GOWIN, ICE40, pll


def numbers(text: str, *names: str) -> list[int]:
    return [int(re.search(rf"\.{name}\((?:\d'd)?(\d+)\)", text)[1]) for name in names]  # type: ignore[index]


@pytest.mark.parametrize(
    ("primitive", "board", "wanted", "mhz", "names", "dividers"),
    [  # ecppll -i 25 -o 125 and -o 137, icepll -i 12 -o 48
        ("EHXPLLL", 25, 125, 125, ("CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV", "CLKOP_CPHASE"), [1, 5, 5, 2]),
        ("EHXPLLL", 25, 137, 137.5, ("CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV"), [2, 11, 4]),
        ("SB_PLL40_CORE", 12, 48, 48, ("DIVR", "DIVF", "DIVQ", "FILTER_RANGE"), [0, 63, 4, 1]),
        ("rPLL GW1NR-9C", 27, 54, 54, ("IDIV_SEL", "FBDIV_SEL"), [0, 1]),
    ],
)  # fmt: skip
def test_dividers_are_those_of_the_tools(primitive, board, wanted, mhz, names, dividers) -> None:
    found = pll(primitive, board, wanted)
    assert found.mhz == mhz
    assert numbers(found.text, *names) == dividers


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([25.0, 27.0, 48.0]), st.floats(20, 200))
def test_every_clock_is_near_and_within_the_limits(board: float, wanted: float) -> None:
    found = pll("EHXPLLL", board, wanted)
    reference, feedback, out = numbers(found.text, "CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV")
    detector, oscillator, _ = ECP5
    assert detector[0] <= board / reference <= detector[1]
    assert oscillator[0] <= board / reference * feedback * out <= oscillator[1]
    assert found.mhz == pytest.approx(board / reference * feedback, abs=1e-5)
    assert abs(found.mhz - wanted) < 0.1 * wanted
    detector, oscillator, _ = ICE40
    found = pll("SB_PLL40_CORE", 12.0, wanted)
    reference, feedback, out = numbers(found.text, "DIVR", "DIVF", "DIVQ")
    assert oscillator[0] <= 12 / (reference + 1) * (feedback + 1) <= oscillator[1]
    detector, oscillator, _ = GOWIN["GW2AR-18C"]
    found = pll("rPLL GW2AR-18C", 27.0, wanted)
    reference, feedback, out = numbers(found.text, "IDIV_SEL", "FBDIV_SEL", "ODIV_SEL")
    assert oscillator[0] <= found.mhz * out <= oscillator[1]


def test_no_pll_for_the_boards_own_clock_and_none_beyond_its_range() -> None:
    assert "assign clk = clk_in" in pll("EHXPLLL", 25, 25).text
    with pytest.raises(HwError, match=r"clock 900 MHz: the PLL of this board gives 3\.125 to 400 MHz"):
        pll("EHXPLLL", 25, 900)

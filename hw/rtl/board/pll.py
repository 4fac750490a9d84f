"""Phase-locked loops: the dividers that come nearest to a clock, by the limits of each family, and their Verilog."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor
from typing import NamedTuple

from crq.hw.errors import HwError

# MHz, lowest and highest, of the phase detector, the oscillator and the output. ECP5: the rules of Trellis's ecppll
# (Lattice FPGA-DS-02012, sysCLOCK PLL timing); iCE40: those of IceStorm's icepll; Gowin: those of Apycula's gowin_pll
# (Gowin DS117 and DS226).
ECP5 = ((3.125, 400.0), (400.0, 800.0), (3.125, 400.0))
ICE40 = ((10.0, 133.0), (533.0, 1066.0), (16.0, 275.0))
GOWIN = {
    "GW1NR-9C": ((3.0, 400.0), (400.0, 1200.0), (3.125, 600.0)),
    "GW2AR-18C": ((3.0, 500.0), (500.0, 1250.0), (3.90625, 625.0)),
}
FILTERS = (17, 26, 44, 66, 101)  # MHz of the phase detector at which iCE40's FILTER_RANGE goes up, as in icepll


class Pll(NamedTuple):
    """mhz: the clock that comes out. text: Verilog from the wire clk_in to the wires `clk` and `locked`."""

    mhz: float
    text: str


class _Setting(NamedTuple):
    mhz: float
    oscillator: float
    dividers: tuple[int, ...]


def pll(primitive: str, board_mhz: float, wanted_mhz: float) -> Pll:
    """The clock nearest to `wanted_mhz` from a clock of `board_mhz`. Raises `HwError` if it is out of the PLL's range.

    `primitive` is EHXPLLL, SB_PLL40_CORE, SB_PLL40_PAD, or rPLL with the device it is told.
    """
    if abs(board_mhz - wanted_mhz) < 1e-6:
        return Pll(board_mhz, "  assign clk = clk_in;\n  assign locked = 1'b1;\n")
    kind, _, device = primitive.partition(" ")
    if kind == "EHXPLLL":
        limits, search = ECP5, _ecp5(board_mhz)
    elif kind == "rPLL":
        limits, search = GOWIN[device], _gowin(board_mhz, device)
    else:
        limits, search = ICE40, _ice40(board_mhz)
    low, high = limits[2]
    if not low <= wanted_mhz <= high:
        raise HwError(
            f"clock {wanted_mhz:g} MHz: the PLL of this board gives {low:g} to {high:g} MHz; ask for one of these"
        )
    # Of equal errors the fastest phase detector, then the oscillator in the middle of its range, as ecppll does.
    middle = sum(limits[1]) / 2
    best = min(
        search, key=lambda s: (round(abs(s.mhz - wanted_mhz), 6), s.dividers[0], abs(s.oscillator - middle), s.dividers)
    )
    render = {"EHXPLLL": _ehxplll, "rPLL": _rpll}.get(kind, _sb_pll40)
    return Pll(round(best.mhz, 6), render(primitive, board_mhz, best))


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _ecp5(board: float) -> Iterator[_Setting]:
    detector, oscillator, output = ECP5
    for reference in range(1, 129):
        if not _within(board / reference, detector):
            continue
        for feedback in range(1, 81):
            mhz = board / reference * feedback
            if not _within(mhz, output):
                continue
            for out in range(ceil(oscillator[0] / mhz), min(128, floor(oscillator[1] / mhz)) + 1):
                if _within(mhz * out, oscillator):
                    yield _Setting(mhz, mhz * out, (reference, feedback, out))


def _ice40(board: float) -> Iterator[_Setting]:
    detector, oscillator, output = ICE40
    for reference in range(16):
        if not _within(board / (reference + 1), detector):
            continue
        for feedback in range(128):
            vco = board / (reference + 1) * (feedback + 1)
            for out in range(1, 7):
                if _within(vco, oscillator) and _within(vco / 2**out, output):
                    yield _Setting(vco / 2**out, vco, (reference, feedback, out))


def _gowin(board: float, device: str) -> Iterator[_Setting]:
    detector, oscillator, output = GOWIN[device]
    for reference in range(64):
        if not _within(board / (reference + 1), detector):
            continue
        for feedback in range(64):
            mhz = board / (reference + 1) * (feedback + 1)
            for out in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128):
                if _within(mhz * out, oscillator) and _within(mhz, output):
                    yield _Setting(mhz, mhz * out, (reference, feedback, out))


def _ehxplll(primitive: str, board: float, found: _Setting) -> str:
    reference, feedback, out = found.dividers
    return f"""  (* FREQUENCY_PIN_CLKI = "{board:g}", FREQUENCY_PIN_CLKOP = "{found.mhz:g}", ICP_CURRENT = "12",
     LPF_RESISTOR = "8", MFG_ENABLE_FILTEROPAMP = "1", MFG_GMCREF_SEL = "2" *)
  EHXPLLL #(
      .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"), .DPHASE_SOURCE("DISABLED"),
      .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"),
      .CLKI_DIV({reference}), .CLKFB_DIV({feedback}), .FEEDBK_PATH("CLKOP"),
      .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV({out}), .CLKOP_CPHASE({out // 2}), .CLKOP_FPHASE(0)
  ) u_pll (
      .CLKI(clk_in), .CLKFB(clk), .CLKOP(clk), .LOCK(locked), .RST(1'b0), .STDBY(1'b0), .PHASESEL0(1'b0),
      .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1), .PHASELOADREG(1'b1), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0)
  );
"""


def _sb_pll40(primitive: str, board: float, found: _Setting) -> str:
    reference, feedback, out = found.dividers
    range_ = 1 + sum(board / (reference + 1) >= edge for edge in FILTERS)
    pin = "PACKAGEPIN" if primitive.endswith("PAD") else "REFERENCECLK"
    return f"""  {primitive} #(
      .FEEDBACK_PATH("SIMPLE"), .DIVR(4'd{reference}), .DIVF(7'd{feedback}), .DIVQ(3'd{out}), .FILTER_RANGE(3'd{range_})
  ) u_pll (
      .{pin}(clk_in), .PLLOUTGLOBAL(clk), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0)
  );
"""


def _rpll(primitive: str, board: float, found: _Setting) -> str:
    reference, feedback, out = found.dividers
    return f"""  rPLL #(
      .FCLKIN("{board:g}"), .IDIV_SEL({reference}), .FBDIV_SEL({feedback}), .ODIV_SEL({out}),
      .DEVICE("{primitive.split()[1]}")
  ) u_pll (
      .CLKIN(clk_in), .CLKOUT(clk), .LOCK(locked), .RESET(1'b0), .RESET_P(1'b0), .CLKFB(1'b0), .FBDSEL(6'b0),
      .IDSEL(6'b0), .ODSEL(6'b0), .PSDA(4'b0), .DUTYDA(4'b0), .FDLY(4'b0)
  );
"""

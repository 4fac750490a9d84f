"""Boards: found by any spelling, complete, and told apart from those of a vendor's tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crq.hw.devices.boards import FOLDER, check_clock, find_board, open_boards, read
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError

FAMILIES = {"ecp5", "ice40", "gowin"}


@pytest.mark.parametrize("name", sorted(open_boards()))
def test_every_board_is_whole_and_its_part_known(name: str) -> None:
    board = open_boards()[name]
    assert board.family in FAMILIES
    assert find(name).board == name
    pins = [board.clock["pin"], *board.uart.values(), *board.leds, *board.high.values()]
    assert len(pins) == len(set(pins))
    assert len(board.source) > 20
    assert board.programmer


@pytest.mark.parametrize(
    ("name", "clock", "rx", "tx"),
    [
        ("ulx3s-25f", "G2", "M1", "L4"), ("ULX3S 85F", "G2", "M1", "L4"), ("colorlight i5", "P3", "H18", "J17"),
        ("icebreaker", "35", "6", "9"), ("ice40-hx8k", "J3", "B10", "B12"), ("tang nano 9k", "52", "18", "17"),
        ("tang_nano_20k", "4", "70", "69"), ("OrangeCrab", "A9", "N17", "M18"),
    ],
)  # fmt: skip
def test_pins(name: str, clock: str, rx: str, tx: str) -> None:
    board = find_board(name)
    assert (board.clock["pin"], board.uart["rx"], board.uart["tx"]) == (clock, rx, tx)


@pytest.mark.parametrize("period", [0.0, -1.0, 0.99, float("nan")])
def test_clocks_that_no_part_reaches(period: float) -> None:
    check_clock(1.0)
    with pytest.raises(HwError, match="expected at least 1, which no FPGA goes below"):
        check_clock(period)


def test_unknown_boards_and_those_of_a_vendor() -> None:
    with pytest.raises(HwError, match=r"'tang nano' is not known; did you mean Tang-Nano-9K or Tang-Nano-20K\?"):
        find_board("tang nano")
    expected = "Expected one of Colorlight-i5, .*, ULX3S-85F, of open tools; or, with a Zynq, .*PYNQ-Z2.*KV260"
    for name, board, part in (("pynq-z2", "PYNQ-Z2", "xc7z020clg400-1"), ("vcu118", "VCU118", "xcvu9p-flga2104-2L-e"),
                              ("arty-a7", "Arty-A7-100", "xc7a100tcsg324-1")):  # fmt: skip
        needs = f"{name!r}: the FPGA of {board}, {part}, needs its vendor's tools, Vivado. {expected}"
        with pytest.raises(HwError, match=needs):
            find_board(name)
    for name, near in (("pynq", "PYNQ-Z2 or PYNQ-Z1"), ("zcu14", "ZCU104"), ("a", "")):
        with pytest.raises(HwError, match=f"{name!r} is not known.*{near}.*{expected}"):
            find_board(name)


def test_a_board_that_lacks_a_fact(tmp_path: Path) -> None:
    facts = json.loads((FOLDER / "icebreaker.json").read_text())
    del facts["uart"]
    (tmp_path / "b.json").write_text(json.dumps(facts))
    with pytest.raises(HwError, match=r"b\.json: .*missing or unknown: uart"):
        read(tmp_path / "b.json")

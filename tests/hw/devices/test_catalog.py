"""Parts and boards: found by any spelling, with the numbers of the data sheets, or named with near ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.devices import catalog as devices
from crq.hw.errors import HwError


@pytest.mark.parametrize(
    ("name", "die", "lut", "ff", "bram36", "uram", "dsp"),
    [  # AMD DS190, DS180, DS891 and DS987; Lattice FPGA-DS-02012
        ("xc7z020clg400-1", "xc7z020", 53_200, 106_400, 140, 0, 220),
        ("xc7a35ticsg324-1L", "xc7a35t", 20_800, 41_600, 50, 0, 90),
        ("xczu7ev-ffvc1156-2-e", "xczu7ev", 230_400, 460_800, 312, 96, 1_728),
        ("KV260", "xck26", 117_120, 234_240, 144, 64, 1_248),
        ("LFE5U-25F-6BG381C", "LFE5U-25F", 24_288, 24_288, 28, 0, 28),
    ],
)
def test_capacities_are_those_of_the_data_sheets(
    name: str, die: str, lut: int, ff: int, bram36: int, uram: int, dsp: int
) -> None:
    found = devices.find(name)
    assert (found.die, found.lut, found.ff, found.bram36, found.uram, found.dsp) == (die, lut, ff, bram36, uram, dsp)


def test_a_board_gives_its_part_and_a_part_no_board() -> None:
    board = devices.find("pynq z2")
    assert (board.board, board.part) == ("PYNQ-Z2", "xc7z020clg400-1")
    part = devices.find(" xc7z020clg484-2 ")
    assert (part.board, part.part) == (None, "xc7z020clg484-2")


@given(st.sampled_from(devices.dies()), st.sampled_from(["", "-1", "clg400-1", "-figd2104-2L-e"]), st.randoms())
def test_any_package_in_any_case_is_the_die(die: str, package: str, random) -> None:
    name = "".join(random.choice((c.lower(), c.upper())) for c in die + package)
    assert devices.find(name).die == die


@pytest.mark.parametrize("name", ["xc7z0201clg400", "xc7z02", "", "clg400", "xcvu9", "PYNQ-Z3x"])
def test_what_only_resembles_a_part_is_no_part(name: str) -> None:
    with pytest.raises(HwError, match="is not known: expected a part or board name such as .*a part of its family"):
        devices.find(name)


@pytest.mark.parametrize("name", ["xc7z020clg400-1", "PYNQ-Z2", "pynq_z2", "XC7Z020"])
def test_parts_and_boards_are_found(name: str) -> None:
    assert devices.find(name).die == "xc7z020"


def test_every_board_has_a_known_part_and_every_die_a_source() -> None:
    assert len(devices.dies()) >= 12
    for board in devices.boards():
        found = devices.find(board.name)
        assert found.part == board.part
        assert len(found.source) > 10
        assert found.lut > 0
        assert found.ff > 0


def test_unknown_part_lists_near_ones() -> None:
    with pytest.raises(HwError, match=r"xc7z021clg400-1.*xc7z020clg400-1"):
        devices.find("xc7z021clg400-1")


@pytest.mark.parametrize("name", ["ulx3s-25f", "iCEBreaker", "tang-nano-20k", "LFE5U-85F"])
def test_vitis_makes_projects_for_parts_of_amd_alone(name: str) -> None:
    assert devices.find_for("rtl", name) == devices.find(name)
    with pytest.raises(HwError, match=f"part {name}: .* is no part of AMD's.*with target rtl"):
        devices.find_for("hls", name)
    for board in ("pynq-z2", "xczu3eg-sbva484-1-e"):
        assert devices.find_for("hls", board) == devices.find(board)


@pytest.mark.parametrize(
    ("name", "die", "part"),
    [
        ("VU9P", "xcvu9p", None), ("vu13p", "xcvu13p", None), ("KV260", "xck26", None), ("PYNQ-Z2", "xc7z020", None),
        ("7z020clg484-1", "xc7z020", "xc7z020clg484-1"), ("xcvu9p-flga2104-2L-e", "xcvu9p", "xcvu9p-flga2104-2L-e"),
        ("XC7Z020CLG400-3", "xc7z020", "XC7Z020CLG400-3"), ("xck26-sfvc784-2LV-c", "xck26", "xck26-sfvc784-2LV-c"),
    ],
)  # fmt: skip
def test_common_names_resolve_to_a_vendors_part(name: str, die: str, part: str | None) -> None:
    found = devices.find(name)
    assert found.die == die
    assert found.part == (part or found.part)
    assert found.part.lower() != die  # a die alone gets a usual package: no tool takes it without one


@pytest.mark.parametrize("die", devices.dies())
def test_every_die_alone_has_a_part_that_is_it(die: str) -> None:
    part = devices.find(die).part
    assert devices.find(part).die == die
    assert len(part) > len(die)


def test_near_names_of_a_part_are_of_its_family() -> None:
    """XCKU5P is a Kintex UltraScale+ that there is no file of: no board of another family is meant."""
    with pytest.raises(HwError, match=r"expected a part or board name such as (xck26[^ ]*, )*xck26[^ ]*; all are in"):
        devices.find("xcku5p-ffvb676-2-e")
    with pytest.raises(HwError, match="such as PYNQ-Z2"):
        devices.find("pinq-z2")

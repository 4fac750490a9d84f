"""A design that is too large is told before it is placed, with what would do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crq.hw.cost.resources import Resources
from crq.hw.devices.boards import find_board
from crq.hw.rtl.bitstream.fit import TooLarge, check_fit, used_by


def test_numbers_and_the_nearest_board() -> None:
    check_fit(Resources(20_000, 0, 1_000, 56), find_board("ulx3s-25f"))
    with pytest.raises(
        TooLarge, match=r"30,000 LUT of 24,288. --board ULX3S-85F \(83,640 LUTs\) has room; .*target-fps"
    ):
        check_fit(Resources(30_000), find_board("ulx3s-25f"))
    with pytest.raises(TooLarge, match="no board has room"):
        check_fit(Resources(bram18=2_000), find_board("icebreaker"))


def test_blocks_of_four_kbit_count_as_parts(tmp_path: Path) -> None:
    board = find_board("ice40-hx8k")
    for count in (32, 33):
        cells = {"num_cells_by_type": {"SB_RAM40_4K": count, "SB_LUT4": 3}}
        (tmp_path / "stat.json").write_text(json.dumps({"modules": {"\\top": cells}}))
        used = used_by(tmp_path / "stat.json", board, "top")
        assert used.lut == 3
        if count == 32:
            check_fit(used, board)
        else:
            with pytest.raises(TooLarge, match="BRAM36 of 3.56"):
                check_fit(used, board)

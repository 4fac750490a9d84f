"""Vivado's reports of an implementation, in the form that it writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.errors import HwError
from crq.hw.vivado.reports import Used, slack, used

TIMING = """
------------------------------------------------------------------------------------------------
| Design Timing Summary
| ---------------------
------------------------------------------------------------------------------------------------

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
    -------      -------  ---------------------  -------------------      -------      -------
     -0.214       -3.107                     31                20714        0.011        0.000

"""
USAGE = """
1. Utilization by Hierarchy
---------------------------

+---------------------------+-------------------+------------+---------+------+--------+--------+------------+
|          Instance         |       Module      | Total LUTs | LUTRAMs |  FFs | RAMB36 | RAMB18 | DSP Blocks |
+---------------------------+-------------------+------------+---------+------+--------+--------+------------+
| system_wrapper            |             (top) |       5210 |     310 | 6904 |      5 |      3 |          0 |
|   system_i                |            system |       5210 |     310 | 6904 |      5 |      3 |          0 |
|     dma                   |  system_dma_0     |       1710 |      10 | 2300 |      3 |      0 |          0 |
|     network               |  system_network_0 |        812 |     112 |  523 |      1 |      3 |          0 |
+---------------------------+-------------------+------------+---------+------+--------+--------+------------+
"""


def test_the_network_is_one_cell_of_the_design(tmp_path: Path) -> None:
    (tmp_path / "timing.rpt").write_text(TIMING)
    assert slack(tmp_path / "timing.rpt") == -0.214
    (tmp_path / "utilization.rpt").write_text(USAGE)
    assert used(tmp_path / "utilization.rpt") == Used(lut=812, ff=523, bram36=2.5, dsp=0)


def test_other_texts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "timing.rpt").write_text("Timing 38-282 failed")
    with pytest.raises(HwError, match="no table with WNS"):
        slack(tmp_path / "timing.rpt")
    (tmp_path / "utilization.rpt").write_text(USAGE.replace(" network ", " other   "))
    with pytest.raises(HwError, match="no row of the cell 'network'"):
        used(tmp_path / "utilization.rpt")


@pytest.mark.parametrize("row", ["| network | x | 812 |", "| network | x | 812 | 112 | | | | |"])
def test_half_a_row_of_the_cell_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "utilization.rpt").write_text(f"{USAGE.split('|     network')[0]}{row}\n")
    with pytest.raises(HwError, match="a row of the cell 'network' that is not whole"):
        used(tmp_path / "utilization.rpt")

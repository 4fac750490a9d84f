"""The Vivado project: its script runs in Tcl against a model of Vivado's commands."""

from __future__ import annotations

import tkinter
from pathlib import Path

import pytest

from crq.hw.devices import catalog
from crq.hw.errors import HwError
from crq.hw.vivado import Core, vivado_project
from tests.hw.vivado.vivado_model import Vivado

BOARDS = {
    "PYNQ-Z2": "tul.com.tw:pynq-z2:part0:1.0",
    "KV260": "xilinx.com:kv260_som:part0:1.4",
    "ZCU104": "xilinx.com:zcu104:part0:1.1",
    "Ultra96-V2": "avnet.com:ultra96v2:part0:1.2",
}


def written(folder: Path, board: str, sources: bool) -> Path:
    """The script of a project of 64-bit words in and 16-bit words out."""
    (folder / "rtl").mkdir(parents=True)
    for name in ("net_axi.sv", "net.sv", "net_rom.mem"):
        (folder / "rtl" / name).write_text("")
    (folder / "vivado" / "board").mkdir(parents=True)
    for name, text in vivado_project(Core("net", 64, 16, sources), catalog.find(board), 5.0).items():
        (folder / "vivado" / "board" / name).write_text(text)
    return folder / "vivado" / "board" / "build.tcl"


@pytest.mark.parametrize("sources", [True, False], ids=["rtl", "hls"])
@pytest.mark.parametrize("board", list(BOARDS))
def test_the_script_connects_every_pin(tmp_path: Path, board: str, sources: bool) -> None:
    script = written(tmp_path, board, sources)
    vivado = Vivado(list(BOARDS.values()), tmp_path)
    vivado.source(script)
    dma, ps = vivado.properties["dma"], vivado.properties["ps"]
    assert (dma["CONFIG.c_m_axis_mm2s_tdata_width"], dma["CONFIG.c_m_axi_mm2s_data_width"]) == ("64", "64")
    assert (dma["CONFIG.c_s_axis_s2mm_tdata_width"], dma["CONFIG.c_m_axi_s2mm_data_width"]) == ("16", "32")
    assert [value for key, value in ps.items() if key.endswith("FREQMHZ")] == ["200"]
    assert vivado.properties["this"]["board_part"] == BOARDS[board]
    assert any(file.endswith("net_axi.sv") for file in vivado.files) == sources
    for made in ("net.bit", "net.hwh", "timing.rpt", "utilization.rpt"):
        assert (script.parent / made).is_file()
    assert "worst slack 0.1 ns" in vivado.printed


def test_a_clock_that_is_not_met_is_told(tmp_path: Path) -> None:
    vivado = Vivado(list(BOARDS.values()), tmp_path, slack="-1.25")
    vivado.source(written(tmp_path, "PYNQ-Z2", True))
    assert "160.0 MHz are; build the project for that clock (crq build --clock-period)" in vivado.printed


def test_board_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(tkinter.TclError, match=r"no board files of PYNQ-Z2 \(\*:pynq-z2:part0:\*\): install them"):
        Vivado([], tmp_path).source(written(tmp_path, "PYNQ-Z2", True))


def test_nothing_that_exists_is_overwritten(tmp_path: Path) -> None:
    script = written(tmp_path, "PYNQ-Z2", True)
    (script.parent / "project").mkdir()
    with pytest.raises(tkinter.TclError, match="exists: move it away or delete it"):
        Vivado(list(BOARDS.values()), tmp_path).source(script)


def test_boards_without_a_zynq_are_refused() -> None:
    core = Core("net", 8, 8, True)
    for name in ("xc7z020clg400-1", "Arty-A7-100"):
        with pytest.raises(HwError, match=r"part 'xc7.*': expected a board with a Zynq processor"):
            vivado_project(core, catalog.find(name), 5.0)


def test_every_board_with_board_files_has_its_processor() -> None:
    found = [catalog.find(board.name) for board in catalog.boards() if board.vivado]
    assert len(found) > 10
    assert all(vivado_project(Core("net", 8, 8, True), device, 5.0) for device in found)

"""What is changed in hls4ml's scripts; tests/hw/hls/test_writer.py runs them whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import hls4ml
import pytest

from crq.hw.errors import HwError
from crq.hw.hls.scripts import build_prj, vivado_synth

STOCK = Path(hls4ml.__file__).parent / "templates" / "vivado" / "vivado_synth.tcl"


@pytest.mark.parametrize("change", [build_prj, vivado_synth])
@pytest.mark.parametrize("script", ["", "set_top ${project_name}\n" * 2])
def test_scripts_of_another_hls4ml_are_refused(change, script: str) -> None:
    with pytest.raises(HwError, match="install hls4ml 1.3"):
        change(script)


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="tclsh is not installed: apt-get install tcl")
def test_logic_synthesis_is_of_the_top_that_was_made(tmp_path) -> None:
    (tmp_path / "project.tcl").write_text('set project_name "digits"; set part "xc7z020"\n')
    (tmp_path / "vivado_synth.tcl").write_text(vivado_synth(STOCK.read_text()))
    stubs = "proc add_files args {}; proc opt_design args {}; proc report_utilization args {}\n"
    stubs += "proc synth_design {_ top args} { puts $top }\nsource vivado_synth.tcl\n"
    (tmp_path / "stubs.tcl").write_text(stubs)
    made = tmp_path / "digits_prj" / "solution1" / "syn" / "verilog"
    made.mkdir(parents=True)
    for file, top in (("digits.v", "digits\n"), ("digits_axi.v", "digits_axi\n")):
        (made / file).touch()
        assert subprocess.run(["tclsh", "stubs.tcl"], cwd=tmp_path, capture_output=True, text=True).stdout == top

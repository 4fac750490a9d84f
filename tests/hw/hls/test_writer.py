"""The project's build_prj.tcl, run whole by tclsh: the commands of Vitis are stubs that run the testbench with g++."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from crq import hw
from tests.support.random_graphs import small_cnn

# What Vitis HLS does as far as the script can see it: projects, files, both simulations, their folders and reports.
VITIS = """
proc open_project {args} { file mkdir [lindex $args end] }
proc open_solution {args} { file mkdir $::project_name\\_prj/[lindex $args end] }
proc add_files {args} {
    foreach path [list [lindex $args [expr {[lindex $args 0] eq "-tb"}]]] {
        if {![file exists $path]} { error "add_files: no $path" }
    }
    if {[lsearch $args -cflags] >= 0} { set ::cflags [lindex $args end] }
}
foreach command {set_top config_array_partition config_compile config_schedule set_part create_clock
                 set_clock_uncertainty} {
    proc $command {args} {}
}
proc testbench {} {
    set name $::project_name
    exec g++ {*}$::cflags -DCRQ_FAST_SIM -Wno-unknown-pragmas -Isim/fast -Isim/include \\
        $name\\_test.cpp firmware/$name.cpp -o testbench 2>@ stderr
    exec ./testbench >@ stdout 2>@ stderr
}
proc csim_design {} { testbench }
proc csynth_design {} { file mkdir $::project_name\\_prj/solution1/syn/verilog }
proc cosim_design {args} {
    set simulation $::project_name\\_prj/solution1/sim
    file mkdir $simulation/verilog $simulation/report
    foreach {path text} [list verilog/$::project_name.tcl "log_wave -r /\\nquit" \\
                              report/$::project_name\\_cosim.rpt "|Verilog| Pass| 9| 9| 9| 5| 5| 5|" \\
                              verilog/run_sim.tcl "cd ../../../..; testbench; $::env(AFTER_COSIM)"] {
        set file [open $simulation/$path w]
        puts $file $text
        close $file
    }
}
proc export_design {args} { puts "exported" }
source build_prj.tcl
"""
pytestmark = pytest.mark.skipif(shutil.which("tclsh") is None, reason="tclsh is not installed: apt-get install tcl")


@pytest.fixture(scope="module", params=["io_stream", "io_parallel"])
def project(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("script") / "p"
    return hw.build(small_cnn(1, size=4), folder, project_name="digits", io_type=request.param)


def run(folder: Path, after_cosim: str = "") -> subprocess.CompletedProcess[str]:
    """The script with a `vivado` that only says so."""
    (folder / "vitis.tcl").write_text(VITIS)
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "vivado").write_text("#!/bin/sh\necho synthesized\n")
    (programs / "vivado").chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "AFTER_COSIM": after_cosim}
    return subprocess.run(["tclsh", "vitis.tcl"], cwd=folder, capture_output=True, text=True, env=environment)


def test_every_step_is_reached_and_hls4ml_reads_the_logs(project, tmp_path) -> None:
    copy = shutil.copytree(project.directory, tmp_path / "p")
    options = copy / "build_opt.tcl"
    options.write_text(options.read_text().replace("vsynth     0", "vsynth     1"))
    done = run(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for line in done.stdout.splitlines() if line in ("INFO: Test PASSED", "exported", "synthesized")]
    assert steps == ["INFO: Test PASSED", "exported", "synthesized"]
    expected = [line.split() for line in (copy / "tb_data" / "expected.dat").read_text().splitlines()]
    from hls4ml.report.vivado_report import parse_vivado_report

    (copy / "digits_prj" / "hls.app").write_text(
        '<project><solutions><solution name="solution1"/></solutions></project>'
    )
    found = parse_vivado_report(str(copy))
    assert found["CSimResults"] == found["CosimResults"] == expected


def test_cosimulation_that_differs_ends_the_script(project, tmp_path) -> None:
    copy = shutil.copytree(project.directory, tmp_path / "p")
    done = run(copy, after_cosim="exec sed -i {s/^[-0-9]*/77777/} tb_data/rtl_cosim_results.log")
    assert done.returncode == 1
    assert "ERROR: Test failed" in done.stdout
    assert "exported" not in done.stdout


def test_a_testbench_that_fails_ends_the_script_and_logs_the_image(project, tmp_path) -> None:
    copy = shutil.copytree(project.directory, tmp_path / "p")
    expected = copy / "tb_data" / "expected.dat"
    first, second, *rest = expected.read_text().splitlines(keepends=True)
    expected.write_text("".join([first, f"{int(second.split()[0]) + 1} {second.split(' ', 1)[1]}", *rest]))
    done = run(copy)
    assert done.returncode == 1
    assert "ERROR: image 1, integer 0" in done.stderr
    assert "exported" not in done.stdout
    log = (copy / "tb_data" / "csim_results.log").read_text().splitlines()
    assert [line.split() for line in log] == [first.split(), second.split()]

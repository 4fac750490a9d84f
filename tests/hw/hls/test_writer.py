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
VITIS = r"""
proc open_project {args} { file mkdir [lindex $args end] }
proc open_solution {args} { file mkdir $::project_name\_prj/[lindex $args end] }
proc add_files {args} {
    foreach path [list [lindex $args [expr {[lindex $args 0] eq "-tb"}]]] {
        if {![file exists $path]} { error "add_files: no $path" }
    }
    if {[lsearch $args -cflags] >= 0} { set ::cflags [lindex $args end] }
}
proc set_top {name} { puts "top $name"; set ::top $name }
foreach command {config_array_partition config_compile config_schedule set_part create_clock
                 set_clock_uncertainty} {
    proc $command {args} {}
}
proc testbench {} {
    set name $::project_name
    exec g++ {*}$::cflags -DCRQ_FAST_SIM -Wno-unknown-pragmas -Isim/fast -Isim/include \
        $name\_test.cpp firmware/$name.cpp -o testbench 2>@ stderr
    exec ./testbench >@ stdout 2>@ stderr
}
proc csim_design {} { testbench }
proc csynth_design {} { file mkdir $::project_name\_prj/solution1/syn/verilog }
proc cosim_design {args} {
    set simulation $::project_name\_prj/solution1/sim
    file mkdir $simulation/verilog $simulation/report
    foreach {path text} [list verilog/$::project_name.tcl "log_wave -r /\nquit" \
                              report/$::project_name\_cosim.rpt "|Verilog| Pass| 9| 9| 9| 5| 5| 5|" \
                              verilog/run_sim.tcl "cd ../../../..; testbench; $::env(AFTER_COSIM)"] {
        set file [open $simulation/$path w]
        puts $file $text
        close $file
    }
}
proc export_design {args} {
    puts "exported"
    set folder $::project_name\_prj/solution1/impl/ip
    file mkdir $folder
    set file [open $folder/component.xml w]
    puts $file "<spirit:component><spirit:name>$::top</spirit:name></spirit:component>"
    close $file
}
"""
# The commands of the documents: vitis-run passes no arguments to its script, vitis_hls all of its own.
PROGRAMS = {
    "vivado": "#!/bin/sh\necho synthesized\n",
    "vitis-run": '#!/bin/sh\nset -- "$2"\nexec tclsh bin/vitis.tcl "$1"\n',
    "vitis_hls": '#!/bin/sh\nexec tclsh bin/vitis.tcl "$2" "$@"\n',
}
pytestmark = pytest.mark.skipif(shutil.which("tclsh") is None, reason="tclsh is not installed: apt-get install tcl")


@pytest.fixture(scope="module", params=["io_stream", "io_parallel"])
def project(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("script") / "p"
    return hw.build(small_cnn(1, size=4), folder, project_name="digits", io_type=request.param)


def run(
    folder: Path, command: str = "vitis-run --tcl build_prj.tcl --mode hls", after_cosim: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command of the documents, with programs that do what the scripts can see of AMD's."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "vitis.tcl").write_text(
        "set script [lindex $argv 0]; set argv [lrange $argv 1 end]\n" + VITIS + "source $script\n"
    )
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "AFTER_COSIM": after_cosim}
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, env=environment)


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


def documented(text: str) -> list[str]:
    """The lines of a document that call Vitis, without their comments."""
    lines = [line.split("  #")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line.startswith(("vitis-run ", "vitis_hls "))]


PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "vitis.md").read_text()


@pytest.mark.parametrize("command", documented(PAGE))
def test_each_documented_command_makes_the_top_that_it_says(command, project, tmp_path) -> None:
    if project.manifest.io_type == "io_parallel":  # it has one top
        assert not any("axi" in line for line in documented((project.directory / "README.md").read_text()))
        return
    assert set(documented((project.directory / "README.md").read_text())) == {*documented(PAGE)}
    copy = shutil.copytree(project.directory, tmp_path / "p")
    done = run(copy, command)
    assert "exported" in done.stdout, done.stdout + done.stderr
    core = "axi" in command
    assert f"top digits{'_axi' if core else ''}\n" in done.stdout
    assert ("C/RTL SIMULATION" in done.stdout) != core
    assert hw.open_project(copy).has_ip == core


@pytest.mark.parametrize(
    ("arguments", "said"),
    [("top=axis", "top=axis: expected plain or axi"), ("exprot=1", "exprot=1: no such step; expected one of"),
     ("csim=yes", "csim=yes: expected 0 or 1")],
)  # fmt: skip
def test_wrong_arguments_are_told(arguments, said, project, tmp_path) -> None:
    copy = shutil.copytree(project.directory, tmp_path / "p")
    done = run(copy, f'vitis_hls -f build_prj.tcl "{arguments}"')
    assert done.returncode == 1
    assert said in done.stderr


def test_arguments_override_the_file_also_where_hls4ml_wrote_it(project, tmp_path) -> None:
    copy = shutil.copytree(project.directory, tmp_path / "p")
    steps = ("reset", "csim", "synth", "cosim", "validation", "export", "vsynth", "fifo_opt")
    (copy / "build_opt.tcl").write_text("array set opt {" + " ".join(f"{step} 0" for step in steps) + "}\n")
    assert run(copy).stdout == "top digits\n"
    done = run(copy, 'vitis_hls -f build_prj.tcl "synth=1 top=axi" export=1')
    if project.manifest.io_type == "io_parallel":
        assert "top=axi: an io_parallel project has no AXI4-Stream top" in done.stderr
        return
    assert "top digits_axi" in done.stdout
    assert "C/RTL SYNTHESIS" in done.stdout
    assert "C SIMULATION" not in done.stdout

"""The scripts of a project: Tcl for Vitis HLS, hls4ml's with the choice of the top function, and one for g++."""

from __future__ import annotations

from crq.hw.errors import HwError

AXI_SCRIPT = "build_axi.tcl"
"""Makes the IP of the AXI4-Stream core: `vitis-run` passes no arguments to a script."""


def build_prj(stock: str) -> str:
    """hls4ml's build_prj.tcl with steps as arguments, and with the top function that build_opt.tcl or they choose."""
    script = _replaced(stock, "build_prj.tcl", "source [file join $tcldir build_opt.tcl]\n", _ARGUMENTS)
    return _replaced(script, "build_prj.tcl", "set_top ${project_name}\n", _TOP)


def vivado_synth(stock: str) -> str:
    """hls4ml's vivado_synth.tcl for the top that Vitis HLS left."""
    return _replaced(stock, "vivado_synth.tcl", "synth_design -top ${project_name} ", _SYNTHESIZED_TOP)


def _replaced(script: str, name: str, at: str, by: str) -> str:
    if script.count(at) != 1:
        raise HwError(f"hls4ml's {name} has not one line {at.strip()!r}: install hls4ml 1.3")
    return script.replace(at, by)


_ARGUMENTS = """source [file join $tcldir build_opt.tcl]
# Steps as arguments, `vitis_hls -f build_prj.tcl "top=axi cosim=0"`; words without = are the tool's own.
if {![info exists opt(top)]} { set opt(top) plain }
if {[info exists ::argv]} {
    foreach word [split [join $::argv]] {
        if {![regexp {^(\\w+)=(.*)$} $word unused step choice]} { continue }
        if {![info exists opt($step)]} {
            error "$word: no such step; expected one of [lsort [array names opt]]"
        }
        set opt($step) $choice
    }
}
foreach {step choice} [array get opt] {
    set choices [expr {$step eq "top" ? {plain axi} : {0 1}}]
    if {[lsearch -exact $choices $choice] < 0} { error "$step=$choice: expected [join $choices { or }]" }
}
if {$opt(top) eq "axi" && ![file exists firmware/${project_name}_axi.cpp]} {
    error "top=axi: an io_parallel project has no AXI4-Stream top; build it with --io-type io_stream"
}
"""

_TOP = """if {$opt(top) eq "axi"} {
    set_top ${project_name}_axi
    add_files firmware/${project_name}_axi.cpp -cflags "-std=c++0x"
    # The testbench calls the plain function, which co-simulation could not see.
    set opt(cosim) 0
    set opt(validation) 0
} else {
    set_top ${project_name}
}
"""

_SYNTHESIZED_TOP = """set top ${project_name}
if {[file exists ${project_name}_prj/solution1/syn/verilog/${project_name}_axi.v]} { set top ${project_name}_axi }
synth_design -top $top """

BUILD_AXI = """# Makes the IP {name}_axi, the AXI4-Stream core, as build_prj.tcl does with top=axi:
#
#     vitis-run --tcl build_axi.tcl --mode hls      # Vitis 2023.2 or later, which passes no arguments to a script
#     vitis_hls -f build_axi.tcl                    # Vitis HLS 2022.2 and 2023.1
lappend argv top=axi
source [file join [file dirname [info script]] build_prj.tcl]
"""

# Everything up to an IP core whose co-simulation equals C simulation; hls4ml's `build` writes a file of its own.
BUILD_OPT = """# Steps of build_prj.tcl, in this order. 1 runs a step, 0 leaves it out; arguments (`synth=1`) win.
array set opt {
    reset      1
    csim       1
    synth      1
    cosim      1
    validation 1
    export     1
    vsynth     0
    fifo_opt   0
    top        plain
}
# reset        start with an empty project; 0 keeps what a run before made
# csim         the testbench in C: every image of tb_data, tb_data/csim_results.log
# synth        C to Verilog
# cosim        the testbench on the Verilog, tb_data/rtl_cosim_results.log; the longest step
# validation   both logs are equal; needs csim and cosim
# export       an IP core for Vivado
# vsynth       logic synthesis by Vivado, vivado_synth.rpt; needs vivado on PATH
# top          plain: the network's function; axi: the AXI4-Stream core around it (io_stream), without cosim, which
#              build_axi.tcl chooses
# fifo_opt     without effect: the depths of all FIFOs are in the source
"""

BUILD_LIB = """#!/bin/sh
# Compiles and runs the testbench with g++: bit-exact or a non-zero exit.
set -e
cd "$(dirname "$0")"
g++ -std=c++14 -O2 -Isim/include -Ifirmware/ap_types {name}_test.cpp firmware/{name}.cpp -o {name}_test
./{name}_test
"""

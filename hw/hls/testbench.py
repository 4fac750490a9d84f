"""The testbench: input codes and expected integers; returns non-zero on the first difference.

It writes what it found as hls4ml's testbenches do: tb_data/csim_results.log, or rtl_cosim_results.log where RTL_SIM is
defined. build_prj.tcl compares the two (its step "validation"), and hls4ml's report parser reads them.
"""

from __future__ import annotations

from hw.hls.plan import Plan
from hw.hls.render import render
from hw.ir.layers import IntArray


def testbench_cpp(plan: Plan, name: str) -> str:
    """Runs under g++ and as the testbench of Vitis HLS C simulation and co-simulation."""
    streaming = plan.io_type == "io_stream"
    return render("testbench.cpp", name=name, x=plan.input, y=plan.output, streaming=streaming)


def data_file(values: IntArray) -> str:
    """One image per line, in the order in which the hardware takes or gives them: (height, width, channel)."""
    rows = values.transpose(0, 2, 3, 1).reshape(values.shape[0], -1)
    return "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist())

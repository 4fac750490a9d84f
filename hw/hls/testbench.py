"""The testbench: input codes and expected integers; returns non-zero on the first difference.

It writes what it found as hls4ml's testbenches do: tb_data/csim_results.log, or rtl_cosim_results.log where RTL_SIM is
defined. build_prj.tcl compares the two (its step "validation"), and hls4ml's report parser reads them.
"""

from __future__ import annotations

from crq.hw.forms.render import render
from crq.hw.hls.plan import Plan, ends


def testbench_cpp(plan: Plan, name: str) -> str:
    """Runs under g++ and as the testbench of Vitis HLS C simulation and co-simulation."""
    streaming = plan.io_type == "io_stream"
    return render(
        "crq.hw.hls", "testbench.cpp", name=name, inputs=ends("input", plan.inputs),
        results=ends("result", plan.outputs), streaming=streaming,
    )  # fmt: skip

"""What is simulated of an RTL project: its AXI4-Stream core, or the network inside alone, with probes at its units."""

from __future__ import annotations

from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.unrolled import arrivals
from crq.hw.dataflow.words import Port, Words, whole_beats, words_of
from crq.hw.rtl.bench import Bench, Probe
from crq.hw.rtl.plan import Plan
from crq.hw.rtl.verilog import instance, wire

AXI = {
    "aclk": "clk", "aresetn": "!rst", "s_axis_tvalid": "in_valid", "s_axis_tready": "in_ready",
    "s_axis_tdata": "in_data", "s_axis_tlast": "1'b0", "m_axis_tvalid": "out_valid", "m_axis_tready": "out_ready",
    "m_axis_tdata": "out_data", "m_axis_tlast": "out_last",
}  # fmt: skip
STREAMS = {
    "clk": "clk", "rst": "rst", "in0_valid": "in_valid", "in0_ready": "in_ready", "in0_data": "in_data",
    "out_valid": "out_valid", "out_ready": "out_ready", "out_data": "out_data",
}  # fmt: skip


def axi_words(plan: Plan) -> tuple[Words, Words]:
    return words_of(plan.input), words_of(plan.output)


def beat_words(plan: Plan) -> tuple[Words, Words]:
    """Of the network alone: a beat is a word."""
    return whole_beats(plan.input), whole_beats(plan.output)


def axi_bench(plan: Plan, traced: bool = False) -> Bench:
    """The core of the project."""
    x, y = axi_words(plan)
    body = instance(f"{plan.name}_axi", "core", {}, AXI)
    if not traced:
        return Bench(body, x.bits, y.bits)
    return Bench(body + _passed(plan), x.bits, y.bits, tuple(_probes(plan)))


def network_bench(plan: Plan) -> Bench:
    """The network alone, to whose streams the cycle model belongs."""
    body = instance(plan.name, "network", {}, STREAMS) + "  assign out_last = 1'b0;\n"
    return Bench(body, plan.input.bits, plan.output.bits)


def traced_ports(plan: Plan) -> list[Port]:
    """What each unit gives, in the order of the units."""
    if not plan.streaming:
        return [Port(unit.output, unit.output.shape.size) for unit, _ in plan.units()]
    width = stream_beats(plan.network, plan.folds)
    return [Port(unit.output, width[unit.output.name]) for unit, _ in plan.units()]


def _probes(plan: Plan) -> list[Probe]:
    inside = "u_core.u_network"
    made: list[Probe] = []
    ready = arrivals(plan.hardware, plan.levels) if not plan.streaming else {}
    for port, (_, unit) in zip(traced_ports(plan), plan.units(), strict=True):
        if plan.streaming:
            name = f"{inside}.{wire('s', unit.output.name)}"
            valid, data = f"{name}_valid && {name}_ready", f"{name}_data"
        else:
            valid = f"passed[{ready[unit.output.name]}] && {inside}.en"
            data = f"{inside}.{wire('v', unit.output.name)}"
        made.append(Probe(valid, data, port.bits, port.beats))
    return made


def _passed(plan: Plan) -> str:
    """Of an unrolled design: at which stages there is an image. It moves with `en`."""
    if plan.streaming:
        return ""
    stages = plan.pipeline.latency
    return f"""  logic [{stages - 1}:0] late;
  wire [{stages}:0] passed = {{late, u_core.u_network.in0_valid}};
  always_ff @(posedge clk) begin
    if (rst) late <= '0;
    else if (u_core.u_network.en) late <= passed[{stages - 1}:0];
  end
"""

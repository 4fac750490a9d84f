"""What is simulated of an RTL project: its AXI4-Stream core, or the network inside alone, with probes at its units."""

from __future__ import annotations

from crq.hw.dataflow.beats import stream_beats
from crq.hw.dataflow.unrolled import arrivals
from crq.hw.dataflow.words import Port, Words, whole_beats, words_of
from crq.hw.ir.ports import numbered
from crq.hw.rtl.bench import Bench, Probe
from crq.hw.rtl.generate import STREAM
from crq.hw.rtl.plan import Plan
from crq.hw.rtl.verilog import instance, wire

AXI = {"tvalid": "valid", "tready": "ready", "tdata": "data"}
"""What a signal of an AXI4-Stream is in a bench."""


def axi_words(plan: Plan) -> tuple[list[Words], list[Words]]:
    """Of each stream in and out."""
    return [words_of(port) for port in plan.inputs], [words_of(port) for port in plan.outputs]


def beat_words(plan: Plan) -> tuple[list[Words], list[Words]]:
    """Of the network alone: a beat is a word."""
    return [whole_beats(port) for port in plan.inputs], [whole_beats(port) for port in plan.outputs]


def axi_bench(plan: Plan, traced: bool = False) -> Bench:
    """The core of the project."""
    ports = {"aclk": "clk", "aresetn": "!rst"}
    for port in range(len(plan.inputs)):
        core, bench = numbered("s_axis", port), numbered("in", port)
        ports |= {f"{core}_{axi}": f"{bench}_{own}" for axi, own in AXI.items()} | {f"{core}_tlast": "1'b0"}
    for port in range(len(plan.outputs)):
        core, bench = numbered("m_axis", port), numbered("out", port)
        ports |= {f"{core}_{axi}": f"{bench}_{own}" for axi, own in {**AXI, "tlast": "last"}.items()}
    body = instance(f"{plan.name}_axi", "core", {}, ports)
    x, y = (tuple(words.bits for words in side) for side in axi_words(plan))
    if not traced:
        return Bench(body, x, y)
    return Bench(body + _passed(plan), x, y, tuple(_probes(plan)))


def network_bench(plan: Plan) -> Bench:
    """The network alone, to whose streams the cycle model belongs."""
    ports, body = {"clk": "clk", "rst": "rst"}, ""
    for port in range(len(plan.inputs)):
        ports |= {f"in{port}_{signal}": f"{numbered('in', port)}_{signal}" for signal in STREAM}
    for port in range(len(plan.outputs)):
        end = numbered("out", port)
        ports |= {f"{end}_{signal}": f"{end}_{signal}" for signal in STREAM}
        body += f"  assign {end}_last = 1'b0;\n"
    body = instance(plan.name, "network", {}, ports) + body
    return Bench(body, tuple(port.bits for port in plan.inputs), tuple(port.bits for port in plan.outputs))


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
    stages, single = plan.pipeline.latency, len(plan.inputs) == len(plan.outputs) == 1
    entered = "in0_valid" if single else "given"
    return f"""  logic [{stages - 1}:0] late;
  wire [{stages}:0] passed = {{late, u_core.u_network.{entered}}};
  always_ff @(posedge clk) begin
    if (rst) late <= '0;
    else if (u_core.u_network.en) late <= passed[{stages - 1}:0];
  end
"""

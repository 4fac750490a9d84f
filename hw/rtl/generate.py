"""An integer graph under a folding as SystemVerilog: one module per unit, and a top that joins them with FIFOs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hw.dataflow.fifos import Depths, fifo_depths
from hw.dataflow.memory import BRAM_BITS
from hw.dataflow.names import bounded
from hw.dataflow.units import Fold, Unit, units
from hw.ir.graph import Network
from hw.ir.layers import Add, Bias, Concat, Conv, Dense, GlobalSum, Layer, MaxPool, Negate, Shift, Tensor, Threshold
from hw.rtl.elements import concat, element, max_pool, shift
from hw.rtl.mac import mac
from hw.rtl.verilog import Design, instance, library, module

STREAM = ("valid", "ready", "data")


BODIES: dict[type[Layer], Callable[[Network, Unit, Fold, Design], str]] = {
    **dict.fromkeys((Conv, Dense), mac),
    MaxPool: max_pool,
    Concat: concat,
    Shift: shift,
    **dict.fromkeys((Threshold, GlobalSum, Add, Bias, Negate), element),
}
"""The inside of the module of each kind of unit; what it needs beside goes into the design."""


def unit_module(network: Network, unit: Unit, fold: Fold, design: Design) -> None:
    """Adds the module of one unit, named like the unit, to `design`."""
    body = BODIES[type(unit.layer)](network, unit, fold, design)
    inputs = {f"in{i}": beat_bits(network, t) for i, t in enumerate(unit.inputs)}
    summary = f"{unit.layer.kind} {unit.name}: PE {fold.pe}, SIMD {fold.simd}"
    text = module(module_name(unit), inputs, beat_bits(network, unit.output), body, summary)
    design.sources[f"{module_name(unit)}.sv"] = text


def module_name(unit: Unit) -> str:
    return f"unit_{bounded(unit.name)}"


def beat_bits(network: Network, tensor: Tensor) -> int:
    """Bits of one beat of a tensor's stream."""
    return network.carried(tensor).shape.c * tensor.format.bits


def generate_unit(network: Network, unit: Unit, fold: Fold, depths: Depths | None = None) -> Design:
    """A design of one unit; with `depths` of its input FIFOs, the unit behind them."""
    design = Design(module_name(unit), library())
    unit_module(network, unit, fold, design)
    if depths is None:
        return design
    design.top = f"{module_name(unit)}_with_fifos"
    inputs = {f"in{i}": beat_bits(network, t) for i, t in enumerate(unit.inputs)}
    out = {f"out_{p}": f"out_{p}" for p in STREAM}
    text = _behind_fifos(network, unit, depths, list(inputs), out)
    summary = f"{unit.layer.kind} {unit.name} behind its FIFOs"
    design.sources[f"{design.top}.sv"] = module(design.top, inputs, beat_bits(network, unit.output), text, summary)
    return design


def _behind_fifos(network: Network, unit: Unit, depths: Depths, sources: list[str], out: Mapping[str, str]) -> str:
    """A FIFO per input of `unit`, fed by the streams `sources`, and the unit; `out` are its output's wires."""
    text, ports = "", {"clk": "clk", "rst": "rst"}
    for i, (tensor, source) in enumerate(zip(unit.inputs, sources, strict=True)):
        bits = beat_bits(network, tensor)
        text += _wires(f"{source}_q", bits)
        text += _fifo(source, bits, 0 if isinstance(unit.layer, Shift) else depths[unit.name, i])
        ports |= {f"in{i}_{p}": f"{source}_q_{p}" for p in STREAM}
    return text + instance(module_name(unit), unit.name, {}, {**ports, **out})


def generate(network: Network, folds: Mapping[str, Fold], name: str = "network") -> Design:
    """The whole network. FIFO depths follow from the cycle model, so that no stream waits for another."""
    design = Design(name, library())
    depths = fifo_depths(network, folds)
    text = ""
    readers: dict[str, list[str]] = {}
    for unit in units(network):
        for i, tensor in enumerate(unit.inputs):
            readers.setdefault(network.carried(tensor).name, []).append(f"{unit.name}_in{i}")
    sink = network.carried(network.output).name
    readers.setdefault(sink, []).append("out")
    text += _wires("s_" + network.input.name, beat_bits(network, network.input))
    text += f"  assign {_s(network.input)}_valid = in0_valid;\n  assign in0_ready = {_s(network.input)}_ready;\n"
    text += f"  assign {_s(network.input)}_data = in0_data;\n"
    for unit in units(network):
        unit_module(network, unit, folds[unit.name], design)
        text += _wires(_s(unit.output), beat_bits(network, unit.output))
        sources = [f"{unit.name}_in{i}" for i in range(len(unit.inputs))]
        for tensor, source in zip(unit.inputs, sources, strict=True):
            text += _wires(source, beat_bits(network, tensor))
            text += f"  assign {source}_data = {_s(network.carried(tensor))}_data;\n"
        text += _behind_fifos(network, unit, depths, sources, {f"out_{p}": f"{_s(unit.output)}_{p}" for p in STREAM})
    for tensor in [network.input] + [u.output for u in units(network)]:
        text += _fork(_s(tensor), readers[tensor.name])
    text += f"  assign out_data = {_s(network.carried(network.output))}_data;\n"
    inputs = {"in0": beat_bits(network, network.input)}
    design.sources[f"{name}.sv"] = module(
        name, inputs, beat_bits(network, network.output), text, "The network: one module per unit, joined by FIFOs."
    )
    return design


def _s(tensor: Tensor) -> str:
    return "s_" + "".join(c if c.isalnum() else "_" for c in tensor.name)


def _wires(name: str, bits: int) -> str:
    return f"  wire {name}_valid, {name}_ready;\n  wire [{bits - 1}:0] {name}_data;\n"


def _fifo(name: str, bits: int, depth: int) -> str:
    if depth == 0:
        return (
            f"  assign {name}_q_valid = {name}_valid;\n  assign {name}_ready = {name}_q_ready;\n"
            f"  assign {name}_q_data = {name}_data;\n"
        )
    parameters = {"WIDTH": bits, "DEPTH": depth, "BLOCK": int(bits * depth >= BRAM_BITS)}
    ports = {"clk": "clk", "rst": "rst"}
    ports |= {f"in_{p}": f"{name}_{p}" for p in STREAM}
    ports |= {f"out_{p}": f"{name}_q_{p}" for p in STREAM}
    return instance("crq_fifo", f"{name}_fifo", parameters, ports)


def _fork(source: str, sinks: list[str]) -> str:
    if len(sinks) == 1:
        return f"  assign {sinks[0]}_valid = {source}_valid;\n  assign {source}_ready = {sinks[0]}_ready;\n"
    valid = "{" + ", ".join(f"{s}_valid" for s in reversed(sinks)) + "}"
    ready = "{" + ", ".join(f"{s}_ready" for s in reversed(sinks)) + "}"
    ports = {"clk": "clk", "rst": "rst", "in_valid": f"{source}_valid", "in_ready": f"{source}_ready",
             "out_valid": valid, "out_ready": ready}  # fmt: skip
    return instance("crq_fork", f"{source}_fork", {"N": len(sinks)}, ports)


def write(design: Design, folder: Path) -> list[Path]:
    """Writes sources and memory images; returns the source files. $readmemh paths are relative to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**design.sources, **design.memories}.items():
        (folder / name).write_text(text)
    return [folder / name for name in design.sources]

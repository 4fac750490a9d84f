"""An integer graph under a folding as SystemVerilog: one module per unit, and a top that joins them by streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from crq.hw.dataflow.beats import beat_out, beats_in, conversion, stream_beats
from crq.hw.dataflow.memory import BRAM_BITS
from crq.hw.dataflow.names import bounded
from crq.hw.dataflow.streams import Depths, fifo_depths
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import (
    Add,
    ArgMax,
    Bias,
    Concat,
    Conv,
    Dense,
    Enlarge,
    GlobalSum,
    Layer,
    MaxPool,
    Negate,
    Shift,
    Tensor,
    Threshold,
)
from crq.hw.ir.ports import numbered
from crq.hw.rtl.comments import describe
from crq.hw.rtl.elements import arg_max, concat, element, enlarge, global_sum, max_pool, shift
from crq.hw.rtl.mac import mac
from crq.hw.rtl.verilog import Design, instance, library, module, wire

STREAM = ("valid", "ready", "data")


BODIES: dict[type[Layer], Callable[[Unit, Fold, Design], str]] = {
    **dict.fromkeys((Conv, Dense), mac),
    MaxPool: max_pool,
    Concat: concat,
    Shift: shift,
    GlobalSum: global_sum,
    Enlarge: enlarge,
    ArgMax: arg_max,
    **dict.fromkeys((Threshold, Add, Bias, Negate), element),
}
"""The inside of the module of each kind of unit; what it needs beside goes into the design."""


def unit_module(unit: Unit, fold: Fold, design: Design) -> None:
    """Adds the module of one unit, named like the unit, to `design`."""
    body = BODIES[type(unit.layer)](unit, fold, design)
    name, ports = module_name(unit), (_inputs(unit, fold), {"out": _output_bits(unit, fold)})
    text = module(name, *ports, body, describe(unit, fold, name, design.family))
    design.sources[f"{module_name(unit)}.sv"] = text


def module_name(unit: Unit) -> str:
    return f"unit_{bounded(unit.name)}"


def _inputs(unit: Unit, fold: Fold) -> dict[str, int]:
    """Bits of a beat of each input."""
    return {
        f"in{i}": beat * t.format.bits
        for i, (t, beat) in enumerate(zip(unit.inputs, beats_in(unit, fold), strict=True))
    }


def _output_bits(unit: Unit, fold: Fold) -> int:
    return beat_out(unit, fold) * unit.output.format.bits


def generate_unit(
    unit: Unit, fold: Fold, given: tuple[int, ...] | None = None, depths: Depths | None = None, family: str = "xcup",
) -> Design:  # fmt: skip
    """A design of one unit for a synthesis family; with `depths` of its input FIFOs and the channels per beat that it
    is `given`, the unit behind its FIFOs and converters."""
    design = Design(module_name(unit), library(), family=family)
    unit_module(unit, fold, design)
    if depths is None or given is None:
        return design
    design.top = f"{module_name(unit)}_with_streams"
    inputs = {f"in{i}": beat * t.format.bits for i, (t, beat) in enumerate(zip(unit.inputs, given, strict=True))}
    out = {f"out_{p}": f"out_{p}" for p in STREAM}
    text = _behind_streams(unit, fold, given, depths, list(inputs), out)
    summary = f"{unit.layer.kind} {unit.name} behind its FIFOs and converters"
    design.sources[f"{design.top}.sv"] = module(design.top, inputs, {"out": _output_bits(unit, fold)}, text, summary)
    return design


def _behind_streams(
    unit: Unit, fold: Fold, given: tuple[int, ...], depths: Depths, sources: list[str], out: Mapping[str, str]
) -> str:
    """Per input of `unit` a FIFO and a converter, fed by the streams `sources`; `out` are its output's wires."""
    text, ports = "", {"clk": "clk", "rst": "rst"}
    for i, (tensor, source, beat) in enumerate(zip(unit.inputs, sources, given, strict=True)):
        bits = tensor.format.bits
        stream, more = _fifo(source, beat * bits, depths[unit.name, i], fold.quick)
        parts, joined = conversion(beat, beats_in(unit, fold)[i])
        part = beat // parts * bits
        if parts > 1:
            stream, made = _converter("crq_narrow", stream, part, parts, part)
            more += made
        if joined > 1:
            stream, made = _converter("crq_widen", stream, part, joined, part * joined)
            more += made
        text += more
        ports |= {f"in{i}_{p}": f"{stream}_{p}" for p in STREAM}
    return text + instance(module_name(unit), unit.name, {}, {**ports, **out})


def generate(network: Network, folds: Mapping[str, Fold], name: str = "network", family: str = "xcup") -> Design:
    """The whole network for a synthesis family. FIFO depths follow from the cycle model, so that no stream waits for
    another."""
    design = Design(name, library(), family=family)
    depths, beats = fifo_depths(network, folds), stream_beats(network, folds)
    readers: dict[str, list[str]] = {}
    for unit in units(network):
        for i, tensor in enumerate(unit.sources):
            readers.setdefault(tensor.name, []).append(f"{unit.name}_in{i}")
    sinks = {numbered("out", port): result for port, result in enumerate(network.leaving)}
    for end, result in sinks.items():
        readers.setdefault(result.name, []).append(end)
    made = [u.output for u in units(network)]
    bits = {t.name: beats[t.name] * t.format.bits for t in [*network.inputs, *made]}
    text = ""
    for port, tensor in enumerate(network.inputs):
        text += _wires(_s(tensor), bits[tensor.name])
        text += "".join(f"  assign {_s(tensor)}_{p} = in{port}_{p};\n" for p in ("valid", "data"))
        text += f"  assign in{port}_ready = {_s(tensor)}_ready;\n"
    for unit in units(network):
        unit_module(unit, folds[unit.name], design)
        text += _wires(_s(unit.output), bits[unit.output.name])
        sources = [f"{unit.name}_in{i}" for i in range(len(unit.inputs))]
        for tensor, source in zip(unit.sources, sources, strict=True):
            text += _wires(source, bits[tensor.name])
            text += f"  assign {source}_data = {_s(tensor)}_data;\n"
        given = tuple(beats[t.name] for t in unit.sources)
        out = {f"out_{p}": f"{_s(unit.output)}_{p}" for p in STREAM}
        text += _behind_streams(unit, folds[unit.name], given, depths, sources, out)
    for tensor in [*network.inputs, *made]:
        text += _fork(_s(tensor), readers[tensor.name])
    text += "".join(f"  assign {end}_data = {_s(result)}_data;\n" for end, result in sinks.items())
    summary = "The network: one module per unit, joined by streams."
    ends = ({f"in{p}": bits[t.name] for p, t in enumerate(network.inputs)}, {e: bits[r.name] for e, r in sinks.items()})
    design.sources[f"{name}.sv"] = module(name, *ends, text, summary)
    return design


def _s(tensor: Tensor) -> str:
    return wire("s", tensor.name)


def _wires(name: str, bits: int) -> str:
    return f"  wire {name}_valid, {name}_ready;\n  wire [{bits - 1}:0] {name}_data;\n"


def _fifo(name: str, bits: int, depth: int, quick: int) -> tuple[str, str]:
    """(stream behind it, text) of a FIFO; a depth of 0 is none."""
    if depth == 0:
        return name, ""
    parameters = {"WIDTH": bits, "DEPTH": depth, "BLOCK": int(bits * depth >= BRAM_BITS), "FLAGS": quick}
    return _stage("crq_fifo", name, "fifo", parameters, bits)


def _converter(kind: str, name: str, part: int, n: int, bits: int) -> tuple[str, str]:
    return _stage(kind, name, kind.removeprefix("crq_"), {"WIDTH": part, "N": n}, bits)


def _stage(kind: str, name: str, tag: str, parameters: Mapping[str, object], bits: int) -> tuple[str, str]:
    """(stream of `bits` behind it, text) of a module with one stream in and one out."""
    ports = {"clk": "clk", "rst": "rst"}
    ports |= {f"in_{p}": f"{name}_{p}" for p in STREAM}
    ports |= {f"out_{p}": f"{name}_{tag}_{p}" for p in STREAM}
    return f"{name}_{tag}", _wires(f"{name}_{tag}", bits) + instance(kind, f"{name}_{tag}", parameters, ports)


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

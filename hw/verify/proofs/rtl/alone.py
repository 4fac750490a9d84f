"""The modules of single layers, driven with operands that no image of the network may ever give them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crq.hw.dataflow.beats import beat_out, beats_in
from crq.hw.dataflow.sums import sums
from crq.hw.dataflow.units import Unit
from crq.hw.dataflow.unrolled import adder_stages, codes, stages
from crq.hw.dataflow.words import Port, pack, unpack, whole_beats
from crq.hw.ir.layers import Format, IntArray, Mac, Shape, Tensor
from crq.hw.rtl.bench import Bench, Probe, bytes_of, compile_bench
from crq.hw.rtl.built import Built
from crq.hw.rtl.drive import Program, Stimulus, run_all
from crq.hw.rtl.pixels import sums_format
from crq.hw.rtl.verilog import instance


class Module(NamedTuple):
    """The module of a unit: what it reads and gives in a beat, and, of a layer with weights, its sums as they stand
    before the thresholds."""

    name: str
    inputs: tuple[Port, ...]
    output: Port
    sums: Port | None


class Alone:
    """Modules of some of a project's units, compiled together from the project's own Verilog; `folder` is for it."""

    def __init__(self, built: Built, chosen: Sequence[Unit], folder: Path) -> None:
        self.built, self.units = built, list(chosen)
        self.modules = [_module(built, unit) for unit in chosen]
        in_bits = max(sum(p.bits for p in m.inputs) for m in self.modules)
        out_bits = max(m.output.bits for m in self.modules)
        self.bench = Bench(self._body(in_bits, out_bits), (in_bits,), (out_bits,), tuple(self._probes()))
        self.path = folder / "alone"
        compile_bench(self.bench, built.sources(), self.path)

    def run(self, unit: Unit, operands: IntArray, memories: Path | None = None) -> tuple[IntArray, IntArray | None]:
        """The unit's integers of operands (N, C, H, W), the channels of several inputs one after the other; and the
        sums of a layer with weights, as they stand in the module. `memories`: a folder with other memory images."""
        number = self.units.index(unit)
        module = self.modules[number]
        [in_bits], [out_bits] = self.bench.in_bits, self.bench.out_bits
        data = _beats(module.inputs, operands, bytes_of(in_bits))
        seen = [(bytes_of(p.bits), p.beats) for p in self.bench.probes if p.which == number]
        cycles = self.built.plan.pipeline.latency + data.shape[1] + _interval(self.built, unit)
        program = Program(
            self.path, memories or self.built.directory / "rtl", (module.output.beats,), (bytes_of(out_bits),),
            4 * cycles + 1000, tuple(seen),
        )  # fmt: skip
        found = run_all(program, [data], Stimulus(which=number), traced=bool(seen))
        size = whole_beats(module.output)
        values = unpack(np.ascontiguousarray(found.streams[0].words[:, :, : size.bits // 8]), module.output, size)
        if module.sums is None:
            return values, None
        return values, unpack(found.probes[0], module.sums, whole_beats(module.sums))

    def _body(self, in_bits: int, out_bits: int) -> str:
        text, ready, valid, data = "", [], [], []
        for k, module in enumerate(self.modules):
            text += f"  wire clk{k} = clk && which == 16'd{k};\n"
            text += f"  wire in_ready{k}, out_valid{k};\n  wire [{module.output.bits - 1}:0] out_data{k};\n"
            text += self._instance(k, module)
            ready.append(f"which == 16'd{k} ? in_ready{k} : ")
            valid.append(f"which == 16'd{k} ? out_valid{k} : ")
            data.append(f"which == 16'd{k} ? {out_bits}'(out_data{k}) : ")
        text += f"  assign in_ready = {''.join(ready)}1'b0;\n  assign out_valid = {''.join(valid)}1'b0;\n"
        return text + f"  assign out_data = {''.join(data)}'0;\n  assign out_last = 1'b0;\n"

    def _instance(self, k: int, module: Module) -> str:
        low, parts = 0, []
        for port in module.inputs:
            parts.append(f"in_data[{low}+:{port.bits}]")
            low += port.bits
        if not self.built.plan.streaming:
            return self._unrolled(k, module, parts)
        ports = {"clk": f"clk{k}", "rst": "rst"}
        text = f"  wire [{len(parts) - 1}:0] ready{k};\n  assign in_ready{k} = &ready{k};\n"
        for i, part in enumerate(parts):
            ports |= {f"in{i}_valid": "in_valid", f"in{i}_ready": f"ready{k}[{i}]", f"in{i}_data": part}
        ports |= {"out_valid": f"out_valid{k}", "out_ready": "out_ready", "out_data": f"out_data{k}"}
        return text + instance(module.name, str(k), {}, ports)

    def _unrolled(self, k: int, module: Module, parts: list[str]) -> str:
        """A unit without handshake: what enters leaves a fixed number of cycles later."""
        latency = max(1, stages(self.units[k], self.built.plan.levels))
        text = f"  logic [{latency - 1}:0] late{k};\n  wire [{latency}:0] passed{k} = {{late{k}, in_valid}};\n"
        text += f"  always_ff @(posedge clk{k}) late{k} <= rst ? '0 : passed{k}[{latency - 1}:0];\n"
        text += f"  assign in_ready{k} = 1'b1;\n"
        text += f"  assign out_valid{k} = passed{k}[{stages(self.units[k], self.built.plan.levels)}];\n"
        ports = {"clk": f"clk{k}", "en": "1'b1", **{f"in{i}": part for i, part in enumerate(parts)}}
        return text + instance(module.name, str(k), {}, {**ports, "out": f"out_data{k}"})

    def _probes(self) -> list[Probe]:
        made = []
        for k, (unit, module) in enumerate(zip(self.units, self.modules, strict=True)):
            if module.sums is None:
                continue
            if self.built.plan.streaming:
                valid, data = f"u_{k}.done && u_{k}.free", f"u_{k}.signed_sums"
            else:
                valid = f"passed{k}[{adder_stages(unit, self.built.plan.levels)}]"
                data = f"u_{k}.sums"
            made.append(Probe(f"which == 16'd{k} && {valid}", data, module.sums.bits, module.sums.beats, k))
        return made


def _module(built: Built, unit: Unit) -> Module:
    plan = built.plan
    name, made = plan.modules[unit.name], unit.layer.output
    if plan.streaming:
        fold = plan.folds[unit.name]
        inputs = tuple(Port(t, b) for t, b in zip(unit.sources, beats_in(unit, fold), strict=True))
        output = Port(unit.output, beat_out(unit, fold))
        own = None
        if isinstance(unit.layer, Mac):
            bits = sums(unit, unit.is_unrolled(fold)).bits
            own = Port(_wide(made.name, made.shape, Format(bits, True)), fold.pe)
        return Module(name, inputs, output, own)
    own = None
    if isinstance(unit.layer, Mac) and codes(unit) is not None:
        own = Port(_wide(made.name, made.shape, sums_format(unit)), made.shape.size)
    whole = tuple(Port(t, t.shape.size) for t in unit.sources)
    return Module(name, whole, Port(unit.output, unit.output.shape.size), own)


def _wide(name: str, shape: Shape, fmt: Format) -> Tensor:
    """A tensor of `shape` whose values need all bits of a format."""
    lo, hi = (-(1 << fmt.bits - 1), (1 << fmt.bits - 1) - 1) if fmt.signed else (0, (1 << fmt.bits) - 1)
    return Tensor(name, shape, np.full(shape.c, lo, np.int64), np.full(shape.c, hi, np.int64))


def _beats(ports: Sequence[Port], operands: IntArray, size: int) -> np.ndarray:
    """Operands as words of `size` bytes: the beats of all inputs beside each other."""
    parts = np.split(operands, np.cumsum([port.shape.c for port in ports])[:-1], axis=1)
    if len(ports) == 1:
        data = pack(parts[0], ports[0], whole_beats(ports[0]))
        return np.pad(data, ((0, 0), (0, 0), (0, size - data.shape[2])))
    bits = [_bits(part, port) for part, port in zip(parts, ports, strict=True)]
    data = np.packbits(np.concatenate(bits, axis=2), axis=-1, bitorder="little")
    return np.pad(data, ((0, 0), (0, 0), (0, size - data.shape[2])))


def _bits(values: IntArray, port: Port) -> np.ndarray:
    data = pack(values, port, whole_beats(port))
    return np.unpackbits(data, axis=-1, bitorder="little")[:, :, : port.bits]


def _interval(built: Built, unit: Unit) -> int:
    return built.timing.cycles(unit, built.folds[unit.name]).interval if built.plan.streaming else 1

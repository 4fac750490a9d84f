"""Pieces of SystemVerilog text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from crq.hw.rtl.lines import wrapped


@dataclass
class Design:
    """SystemVerilog modules and memory images by file name; `top` is the outermost module.

    Adders have the operands that suit `family`; the modules themselves are right on every family.
    """

    top: str
    sources: dict[str, str] = field(default_factory=dict)
    memories: dict[str, str] = field(default_factory=dict)
    family: str = "xcup"


def library() -> dict[str, str]:
    """The hand-written modules every design uses, by file name."""
    folder = files("crq.hw.rtl") / "lib"
    return {
        f.name: wrapped(f.read_text()) for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sv")
    }


def wire(prefix: str, name: str) -> str:
    """The wire of a tensor, whose name may hold anything."""
    return f"{prefix}_" + "".join(c if c.isalnum() else "_" for c in name)


def instance(module: str, name: str, parameters: Mapping[str, object], ports: Mapping[str, str]) -> str:
    """One instance of `module`."""
    values = ", ".join(f".{k}({v})" for k, v in parameters.items())
    wires = ", ".join(f".{k}({v})" for k, v in ports.items())
    return f"  {module} {f'#({values}) ' if values else ''}u_{name} (\n    {wires}\n  );\n"


def held_back(bits: int, source: str, en: str, stages: int) -> tuple[str, str]:
    """(text, name) of the vector `source` as it was `stages` cycles with `en` ago."""
    names = [source, *(f"{source}_held{n}" for n in range(stages))]
    if not stages:
        return "", source
    moved = "".join(f"      {after} <= {before};\n" for before, after in zip(names, names[1:], strict=False))
    declared = f"  logic [{bits - 1}:0] {', '.join(names[1:])};\n"
    return f"{declared}  always_ff @(posedge clk)\n    if ({en}) begin\n{moved}    end\n", names[-1]


def literal(bits: Iterable[int]) -> str:
    """A sized hexadecimal constant; the first bit is the lowest."""
    values = list(bits)
    number = sum(int(b) << i for i, b in enumerate(values))
    return f"{len(values)}'h{number:x}"


def constant(value: int, width: int) -> str:
    """A sized two's complement constant."""
    return f"{width}'h{value & ((1 << width) - 1):x}"


def slices(source: str, elements: Iterable[int], width: int) -> str:
    """A concatenation of `width`-bit elements of the vector `source`, the first element lowest; below 0 means zero."""
    runs: list[list[int]] = []  # first element, or -1, and how many
    for element in elements:
        first, count = runs[-1] if runs else (0, 0)
        if count and (first + count == element if first >= 0 else element < 0):
            runs[-1][1] += 1
        else:
            runs.append([max(element, -1), 1])
    parts = [f"{source}[{a * width}+:{n * width}]" if a >= 0 else f"{n * width}'b0" for a, n in reversed(runs)]
    return "{" + ", ".join(parts) + "}"


def words(values: NDArray[np.int64], width: int) -> str:
    """$readmemh lines of (depth, n) integers, `width` bits each, the first element lowest."""
    lines = []
    mask = (1 << width) - 1
    for row in np.atleast_2d(values):
        number = 0
        for i, value in enumerate(row):
            number |= (int(value) & mask) << (i * width)
        lines.append(f"{number:x}")
    return "\n".join(lines) + "\n"


def module(name: str, inputs: Mapping[str, int], outputs: Mapping[str, int], body: str, summary: str) -> str:
    """A unit: ready/valid input streams (name to bits), and output streams."""
    ports = ["input logic clk", "input logic rst"]
    for stream, bits in inputs.items():
        ports += [
            f"input logic {stream}_valid",
            f"output logic {stream}_ready",
            f"input logic [{bits - 1}:0] {stream}_data",
        ]
    for stream, bits in outputs.items():
        ports += [
            f"output logic {stream}_valid",
            f"input logic {stream}_ready",
            f"output logic [{bits - 1}:0] {stream}_data",
        ]
    listed = ",\n    ".join(ports)
    return text_of(f"module {name} (\n    {listed}\n);\n{body}endmodule\n", summary)


def clocked_module(name: str, inputs: Mapping[str, int], output_bits: int, body: str, summary: str) -> str:
    """A pipeline without handshake that moves in every cycle with `en`: inputs (name to bits), and the output `out`."""
    ports = ["clk", "en", *(f"[{bits - 1}:0] {port}" for port, bits in inputs.items())]
    listed = ",\n    ".join([*(f"input logic {port}" for port in ports), f"output logic [{output_bits - 1}:0] out"])
    idle = [wire for wire in ("clk", "en") if not re.search(rf"\b{wire}\b", body)]
    unused = f"  wire unused_inputs = &{{{', '.join([*idle, *inputs])}}};\n"
    return text_of(f"module {name} (\n    {listed}\n);\n{body}{unused}endmodule\n", summary)


def text_of(module: str, summary: str, kept: bool = True) -> str:
    """A module below the comment `summary`, which may be one already; `kept` as a whole by synthesis."""
    comment = summary if summary.startswith("//") else f"// {summary}"
    return wrapped(f"{comment}\n" + ("(* keep_hierarchy *)\n" if kept else "") + module)

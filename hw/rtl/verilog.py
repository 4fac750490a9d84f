"""Pieces of SystemVerilog text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


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
    folder = files("hw.rtl") / "lib"
    return {f.name: f.read_text() for f in sorted(folder.iterdir(), key=lambda f: f.name) if f.name.endswith(".sv")}


def instance(module: str, name: str, parameters: Mapping[str, object], ports: Mapping[str, str]) -> str:
    """One instance of `module`."""
    values = ", ".join(f".{k}({v})" for k, v in parameters.items())
    wires = ", ".join(f".{k}({v})" for k, v in ports.items())
    return f"  {module} {f'#({values}) ' if values else ''}u_{name} (\n    {wires}\n  );\n"


def literal(bits: Iterable[int]) -> str:
    """A sized hexadecimal constant; the first bit is the lowest."""
    values = list(bits)
    number = sum(int(b) << i for i, b in enumerate(values))
    return f"{len(values)}'h{number:x}"


def constant(value: int, width: int) -> str:
    """A sized two's complement constant."""
    return f"{width}'h{value & ((1 << width) - 1):x}"


def slices(source: str, elements: Iterable[int], width: int) -> str:
    """A concatenation of `width`-bit elements of the vector `source`, the first element lowest."""
    runs: list[list[int]] = []
    for element in elements:
        if runs and runs[-1][1] == element:
            runs[-1][1] += 1
        else:
            runs.append([element, element + 1])
    return "{" + ", ".join(f"{source}[{a * width}+:{(b - a) * width}]" for a, b in reversed(runs)) + "}"


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


def module(name: str, inputs: Mapping[str, int], output_bits: int, body: str, summary: str) -> str:
    """A unit: ready/valid input streams (name to bits), one output stream."""
    ports = ["input logic clk", "input logic rst"]
    for stream, bits in inputs.items():
        ports += [
            f"input logic {stream}_valid",
            f"output logic {stream}_ready",
            f"input logic [{bits - 1}:0] {stream}_data",
        ]
    ports += ["output logic out_valid", "input logic out_ready", f"output logic [{output_bits - 1}:0] out_data"]
    listed = ",\n    ".join(ports)
    return f"// {summary}\n(* keep_hierarchy *)\nmodule {name} (\n    {listed}\n);\n{body}endmodule\n"

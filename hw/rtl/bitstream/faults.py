"""Faults of netlists, to see whether the comparison finds them: a flipped LUT bit, a stuck register, two swapped wires.

All faults are in one netlist, each behind a multiplexer that the number at the port `fault` turns (0: none), so that
one compiled simulation has them all.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.netlist import Cell, Module, top_of

KINDS = ("flipped LUT bit", "stuck register", "swapped wires")
BITS = 16  # of the port


class Fault(NamedTuple):
    """number: what the port `fault` must be for it."""

    number: int
    layer: str
    kind: str
    cell: str


class _Form(NamedTuple):
    """Names of a LUT's content, its inputs and its output, or of a register's output."""

    content: str
    inputs: tuple[str, ...]
    output: str


LUTS = {
    "LUT4": _Form("INIT", ("A", "B", "C", "D"), "Z"), "SB_LUT4": _Form("LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
    "TRELLIS_COMB": _Form("INITVAL", ("A", "B", "C", "D"), "F"),
    "ICESTORM_LC": _Form("LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
}  # fmt: skip
GOWIN_LUTS = {f"LUT{n}": _Form("INIT", tuple(f"I{i}" for i in range(n)), "F") for n in (2, 3, 4)}


def inject(netlist: dict[str, Any], layers: Mapping[str, str], seed: int = 0) -> list[Fault]:
    """Puts one fault of each kind into each layer of a flat netlist, which is changed. layers: names by instance.

    Raises `HwError` if a layer has no cell for one.
    """
    module, rng = top_of(netlist), np.random.default_rng(seed)
    bits = _Bits(module)
    port = [bits.new() for _ in range(BITS)]
    module["ports"]["fault"] = {"direction": "input", "bits": port}
    module["netnames"]["fault"] = {"hide_name": 0, "bits": port, "attributes": {}}
    used = {bit for cell in module["cells"].values() for p, b in cell["connections"].items()
            if cell["port_directions"][p] == "input" for bit in b}  # fmt: skip
    found: list[Fault] = []
    for instance, layer in layers.items():
        inside = f"u_network.u_{instance}."
        own = {n: c for n, c in sorted(module["cells"].items()) if n.startswith(inside)}
        for kind in KINDS:
            fitting = [n for n, c in own.items() if _takes(c, kind, used)]
            if not fitting:
                raise HwError(f"layer {layer}: no cell for a {kind}; its netlist has {len(own)} cells of its own")
            # Control logic has states that nothing reaches, and with them faults that nothing shows; sums have none.
            summing = [n for n in fitting if "u_pe" in n] if kind != KINDS[1] else []
            fitting = summing or fitting
            name = fitting[int(rng.integers(len(fitting)))]
            own.pop(name)
            found.append(Fault(len(found) + 1, layer, kind, name))
            _put(module, bits, port, found[-1])
    return found


class _Bits:
    """Numbers of nets that nothing has yet."""

    def __init__(self, module: Module) -> None:
        every = [b for n in module["netnames"].values() for b in n["bits"]]
        every += [b for c in module["cells"].values() for bs in c["connections"].values() for b in bs]
        self.last = max(b for b in every if isinstance(b, int))

    def new(self) -> int:
        self.last += 1
        return self.last


def _lut(cell: Cell) -> _Form | None:
    if "I0" in cell["connections"] and cell["type"] in GOWIN_LUTS:
        return GOWIN_LUTS[cell["type"]]
    plain = cell["parameters"].get("MODE", "LOGIC") == "LOGIC" and not cell["connections"].get("OFX")
    registered = cell["parameters"].get("DFF_ENABLE") == "1" or cell["parameters"].get("CARRY_ENABLE") == "1"
    return LUTS.get(cell["type"]) if plain and not registered else None


def _register(cell: Cell) -> str | None:
    if cell["type"] == "ICESTORM_LC":
        return "O" if cell["parameters"]["DFF_ENABLE"] == "1" else None
    is_register = cell["type"] == "TRELLIS_FF" or cell["type"].startswith(("SB_DFF", "DFF"))
    return "Q" if is_register else None


def _takes(cell: Cell, kind: str, used: set[object]) -> bool:
    """Whether the cell can have the fault, and something reads it."""
    if kind == KINDS[1]:
        output = _register(cell)
        return output is not None and bool(used.intersection(cell["connections"].get(output) or ()))
    form = _lut(cell)
    if form is None or not used.intersection(cell["connections"].get(form.output) or ()):
        return False
    live = _live(cell, form)
    # Where two inputs count alike, swapping them is no fault.
    return len(live) > 1 if kind == KINDS[0] else bool(_pair(cell, form))


def _live(cell: Cell, form: _Form) -> list[int]:
    return [i for i, p in enumerate(form.inputs) if isinstance((cell["connections"].get(p) or ["0"])[0], int)]


def _pair(cell: Cell, form: _Form) -> tuple[int, int] | None:
    """Two inputs of a LUT that do not count alike."""
    content, live = cell["parameters"][form.content][::-1], _live(cell, form)
    for a in live:
        for b in live:
            differs = [k for k in range(len(content)) if k >> a & 1 and not k >> b & 1]
            if a < b and any(content[k] != content[k ^ (1 << a) ^ (1 << b)] for k in differs):
                return a, b
    return None


def _flipped(cell: Cell, form: _Form) -> str:
    """The content with another value where the first live input is 1 and the others are 0, whatever open ones read."""
    live = _live(cell, form)
    at, mask, content = 1 << live[0], sum(1 << i for i in live), cell["parameters"][form.content][::-1]
    return "".join(str(int(bit) ^ int(k & mask == at)) for k, bit in enumerate(content))[::-1]


def _put(module: Module, bits: _Bits, port: list[int], fault: Fault) -> None:
    cell: Cell = module["cells"][fault.cell]
    form = _lut(cell)
    output = form.output if form and fault.kind != KINDS[1] else _register(cell) or ""
    before = cell["connections"][output][0]
    right, wrong, selected = bits.new(), bits.new(), bits.new()
    cell["connections"][output] = [right]
    other: list[int | str] = ["0"]
    if form and fault.kind != KINDS[1]:
        twin = copy.deepcopy(cell)
        twin["connections"] = {p: b for p, b in twin["connections"].items() if p in (*form.inputs, output)}
        twin["port_directions"] = {p: d for p, d in twin["port_directions"].items() if p in (*form.inputs, output)}
        twin["connections"][output] = other = [wrong]
        module["cells"][f"fault{fault.number}$twin"] = twin
        if fault.kind == KINDS[0]:
            twin["parameters"][form.content] = _flipped(cell, form)
        else:
            a, b = (form.inputs[i] for i in _pair(cell, form) or (0, 1))
            joined = twin["connections"]
            joined[a], joined[b] = joined[b], joined[a]
    number = list(f"{fault.number:0{BITS}b}"[::-1])
    signs = {"A_SIGNED": "0", "B_SIGNED": "0"}
    widths = {"A_WIDTH": f"{BITS:032b}", "B_WIDTH": f"{BITS:032b}", "Y_WIDTH": f"{1:032b}"}
    module["cells"][f"fault{fault.number}$is"] = _cell("$eq", {**signs, **widths}, A=port, B=number, Y=[selected])
    mux = _cell("$mux", {"WIDTH": f"{1:032b}"}, A=[right], B=other, S=[selected], Y=[before])
    module["cells"][f"fault{fault.number}$mux"] = mux


def _cell(kind: str, parameters: dict[str, str], **connections: list[Any]) -> Cell:
    directions = {p: "output" if p == "Y" else "input" for p in connections}
    return {
        "hide_name": 0, "type": kind, "parameters": parameters, "attributes": {}, "port_directions": directions,
        "connections": connections,
    }  # fmt: skip

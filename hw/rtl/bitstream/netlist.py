"""Netlists for simulation: what synthesis or place and route left, as one Verilog module of plain logic.

Yosys's cell models are used wherever they are right; cells/*.v has the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.steps import Done, run_step
from crq.hw.rtl.synth import SCRIPT, tool

NAME = "crq_netlist"
"""The module that the bench drives."""
Cell = dict[str, Any]
Module = dict[str, Any]
# What an input reads that is connected to nothing, where it is not 0.
OPEN = {
    "TRELLIS_COMB": {"A": "1", "B": "1", "C": "1", "D": "1"},
    "TRELLIS_FF": {"CE": "1"},
    "ICESTORM_LC": {"CEN": "1"},
    "ICESTORM_RAM": {"RCLKE": "1", "WCLKE": "1"},
    "ALU": {"I3": "1"},
}
# Ports and parameters that a placed cell has and its model has not.
PLACED = {
    "TRELLIS_FF": ({"SD"}, set[str]()),
    "RAM16SDP4": (set[str](), {"CE"}),
    "IBUF": ({"NET_I", "NET_O"}, {"BOTTOM_IO_PORT_A", "BOTTOM_IO_PORT_B"}),
    "OBUF": (
        {"NET_I", "NET_O", "NET_BOTTOM_IO_PORT_A", "NET_BOTTOM_IO_PORT_B"}, {"BOTTOM_IO_PORT_A", "BOTTOM_IO_PORT_B"},
    ),
}  # fmt: skip
UNUSED = ("GSR", "TRELLIS_ECLKBUF", "$scopeinfo")


def read(path: Path) -> dict[str, Any]:
    """A netlist in Yosys's JSON."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def top_of(netlist: dict[str, Any]) -> Module:
    """The top module: the one that is marked so, or the only one."""
    modules = netlist["modules"]
    marked = [m for m in modules.values() if int(str(m.get("attributes", {}).get("top", "0")), 2)]
    found: Module = marked[0] if marked else next(iter(modules.values()))
    return found


def simulated(netlist: dict[str, Any], family: str, cache: Path, *key: object) -> Done:
    """A step whose folder has `sim.v`, the module NAME. `key` stands for the netlist, which is changed in place."""
    top = next(name for name, module in netlist["modules"].items() if module is top_of(netlist))
    library = ("blackbox", "whitebox", "cells_not_processed")
    own = {n: m for n, m in netlist["modules"].items() if not any(a in m.get("attributes", {}) for a in library)}
    netlist["modules"] = own
    for module in own.values():
        module.get("attributes", {}).pop("keep_hierarchy", None)
        _normalise(module)
    models = (files("crq.hw.rtl.bitstream") / "cells" / f"{family}.v").read_text()
    commands = [
        f"read_verilog -defer -DNO_INCLUDES +/{family}/cells_sim.v", "read_verilog -defer -overwrite cells.v",
        "read_json netlist.json", f"hierarchy -check -top {top}", "proc", "flatten", "opt -fast -purge",
        f"rename {top} {NAME}", "write_verilog -noattr sim.v",
    ]  # fmt: skip
    text = json.dumps(netlist)
    return run_step(
        "netlist", [sys.executable, "-c", SCRIPT, *commands], {"cells.v": models, "netlist.json": text}, ("sim.v",),
        cache, tool(), key,
    )  # fmt: skip


def _normalise(module: Module) -> None:
    """Gives every cell the form that its model has."""
    names = module["netnames"]
    cells: dict[str, Cell] = {
        f"{name}$cell" if name in names else name: c for name, c in module["cells"].items() if c["type"] not in UNUSED
    }
    module["cells"] = cells
    pads = {bit for port in module["ports"].values() for bit in port["bits"]}
    for cell in cells.values():
        change = CHANGES.get(cell["type"])
        if change:
            change(cell, pads)
        parameters, ports = PLACED.get(cell["type"], ((), ()))
        for unknown in parameters:
            cell["parameters"].pop(unknown, None)
        for unknown in ports:
            cell["connections"].pop(unknown, None)
            cell["port_directions"].pop(unknown, None)
        tied = OPEN.get(cell["type"], {})
        for port, bits in cell["connections"].items():
            if not bits and cell["port_directions"].get(port) == "input":
                cell["connections"][port] = [tied.get(port, "0")]
    if any(c["type"] == "ICESTORM_PLL" for c in cells.values()):
        _pll_outputs(cells)


def _text(value: str) -> str:
    """A parameter that is text: a space at its end says that it is no number."""
    return value.strip()


def _comb(cell: Cell, pads: Iterable[int]) -> None:
    if cell["parameters"].get("MODE") == "RAMW_BLOCK":
        cell["parameters"]["MODE"] = "LOGIC"
    if cell["connections"].get("FXA") or cell["connections"].get("FXB"):
        cell["parameters"]["UPPER"] = "1"


def _flip_flop(cell: Cell, pads: Iterable[int]) -> None:
    """A register reads DI, which comes from its LUT, or M."""
    if _text(cell["parameters"].get("SD", "1")) == "0":
        cell["connections"]["DI"] = cell["connections"].pop("M")
        cell["port_directions"]["DI"] = cell["port_directions"].pop("M")


def _block_ram(cell: Cell, pads: Iterable[int]) -> None:
    """A pin of a placed block whose multiplexer gives a constant is tied to it. One that is open reads 1."""
    parameters, joined = cell["parameters"], cell["connections"]
    for pin in [p for p, direction in cell["port_directions"].items() if direction == "input"]:
        chosen = _text(parameters.get(f"{pin}MUX", pin))
        if not joined[pin]:
            joined[pin] = ["1" if chosen in (pin, "1") else "0"]
            parameters.pop(f"{pin}MUX", None)
        elif chosen != pin:
            raise HwError(f"a block of RAM reads pin {pin} through {chosen!r}, which its model does not have")
        else:
            parameters.pop(f"{pin}MUX", None)


def _gowin_ram(cell: Cell, pads: Iterable[int]) -> None:
    """A block of RAM, as synthesis or as place and route names it: of bytes of 9 bits (X9) or 8, its pins joined to the
    vectors of one model for both. READ_MODE 1 has a register behind, which no design here asks for."""
    ninth = "X9" in cell["type"] or _text(cell["attributes"].get("BSRAM_SUBTYPE", "")) == "X9"
    cell["type"] = GOWIN_RAM[cell["type"]]
    if any(int(cell["parameters"].get(mode, "0"), 2) for mode in ("READ_MODE", "READ_MODE0", "READ_MODE1")):
        raise HwError("a block of RAM with a register behind it, which its model does not have")
    cell["parameters"]["BYTE"] = f"{9 if ninth else 8:032b}"
    single = cell["type"] == "CRQ_SP"  # placed, a port that is too wide for one has pins of the other
    for pin in list(cell["connections"]):
        vector, digits = pin.rstrip("0123456789"), pin[len(pin.rstrip("0123456789")) :]
        if single and vector in ("ADB", "BLKSELB", "CEB", "CLKB", "OCEB", "RESETB", "WREB"):
            del cell["connections"][pin], cell["port_directions"][pin]
        elif digits:
            bits = cell["connections"].pop(pin)
            way = cell["port_directions"].pop(pin)
            joined = cell["connections"].setdefault(vector, [])
            cell["port_directions"][vector] = way
            joined += ["x" if way == "output" else "0"] * (int(digits) + 1 - len(joined))
            joined[int(digits)] = bits[0] if bits else joined[int(digits)]


def _pad(cell: Cell, pads: Iterable[int]) -> None:
    """A pad is a wire, from it or to it."""
    joined = cell["connections"]
    inside, out, pin = ("O", "I", "B") if cell["type"] == "TRELLIS_IO" else ("D_IN_0", "D_OUT_0", "PACKAGE_PIN")
    is_input = bool(joined.get(inside)) or not joined.get(out)
    a, y = (joined[pin], joined.get(inside, [])) if is_input else (joined[out], joined[pin])
    cell["type"], cell["parameters"] = "$buf", {"WIDTH": f"{1:032b}"}
    cell["connections"] = {"A": a, "Y": y}
    cell["port_directions"] = {"A": "input", "Y": "output"}


def _alu(cell: Cell, pads: Iterable[int]) -> None:
    """Place and route gives adders as their LUT, and begins and ends carry chains with cells of their own."""
    mode = cell["parameters"].get("ALU_MODE", "0")
    lut = {"C2L": f"{0:016b}", "ONE2C": f"{15:016b}"}.get(mode) or cell["parameters"].get("RAW_ALU_LUT")
    if lut is None:
        cell["connections"].pop("I2", None)
        cell["port_directions"].pop("I2", None)
        return
    cell["type"], cell["parameters"] = "ALU_RAW", {"LUT": lut[-16:]}
    for port in ("I2", "I3"):
        cell["connections"].pop(port, None)
        cell["port_directions"].pop(port, None)


def _vectors(cell: Cell, pads: Iterable[int]) -> None:
    """A placed PLL has its control inputs bit by bit; they do nothing here."""
    for port in [p for p in cell["connections"] if p[-1].isdigit() and p != "CLKOUTD3"]:
        del cell["connections"][port]
        del cell["port_directions"][port]


def _ice_pll(cell: Cell, pads: Iterable[int]) -> None:
    kept = ("REFERENCECLK", "RESETB", "BYPASS", "LOCK")
    cell["parameters"] = {}
    cell["connections"] = {p: b for p, b in cell["connections"].items() if p in kept}
    cell["port_directions"] = {p: d for p, d in cell["port_directions"].items() if p in kept}


def _pll_outputs(cells: dict[str, Cell]) -> None:
    """The global buffer that is part of a PLL has no input: it gives the PLL's clock, here that of the board."""
    pll = next(c for c in cells.values() if c["type"] == "ICESTORM_PLL")
    source = pll["connections"].get("REFERENCECLK")
    if source in (None, ["0"]):  # the clock comes from the pad, whose own buffer is left without an output
        source = next(c["connections"]["A"] for n, c in cells.items() if n.startswith("clk_in"))
    for cell in cells.values():
        user = "USER_SIGNAL_TO_GLOBAL_BUFFER"
        if cell["type"] == "SB_GB" and cell["connections"].get(user, ["0"]) == ["0"]:
            cell["connections"][user] = source
            cell["port_directions"][user] = "input"


GOWIN_RAM = {
    "SPX9": "CRQ_SP", "SP": "CRQ_SP", "DPX9B": "CRQ_DP", "DPB": "CRQ_DP", "DP": "CRQ_DP", "SDPX9B": "CRQ_SDP",
    "SDPB": "CRQ_SDP", "SDP": "CRQ_SDP",
}  # fmt: skip
"""By type of a block of RAM, its model in cells/gowin.v."""
CHANGES: dict[str, Callable[[Cell, Iterable[int]], None]] = {
    "TRELLIS_COMB": _comb, "TRELLIS_FF": _flip_flop, "DP16KD": _block_ram, "TRELLIS_IO": _pad, "SB_IO": _pad,
    "ALU": _alu, "rPLL": _vectors, "ICESTORM_PLL": _ice_pll,
    **dict.fromkeys(GOWIN_RAM, _gowin_ram),
}  # fmt: skip
"""By type of a placed cell, what it is for its model."""

"""Placed cells in the form that their models have."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.errors import HwError
from crq.hw.rtl.bitstream.netlist import CHANGES, NAME, simulated, top_of
from tests.support.boards import needs_tools


def cell(kind: str, parameters: dict[str, str], outputs: tuple[str, ...], **connections: list) -> dict:
    directions = {p: "output" if p in outputs else "input" for p in connections}
    return {"hide_name": 0, "type": kind, "parameters": parameters, "attributes": {}, "port_directions": directions,
            "connections": connections}  # fmt: skip


def placed() -> dict:
    """A register whose data comes from elsewhere (M), behind a LUT with open inputs, between pads."""
    cells = {
        "in": cell("TRELLIS_IO", {"DIR": "INPUT"}, ("O",), B=[2], O=[4], I=[], T=[]),
        "lut": cell("TRELLIS_COMB", {"INITVAL": "1010101010101010"}, ("F",), A=[4], B=[], C=[], D=[], F=[5]),
        "ff": cell("TRELLIS_FF", {"SD": "0 ", "CEMUX": "CE"}, ("Q",), M=[5], CLK=[4], CE=[], LSR=[], Q=[6]),
        "out": cell("TRELLIS_IO", {"DIR": "OUTPUT"}, ("O",), B=[3], I=[6], O=[], T=[]),
        "rest": cell("$scopeinfo", {}, ()),
    }
    ports = {"a": {"direction": "input", "bits": [2]}, "y": {"direction": "output", "bits": [3]}}
    netnames = {
        "a": {"hide_name": 0, "bits": [2], "attributes": {}},
        "ff": {"hide_name": 0, "bits": [6], "attributes": {}},
    }
    top = {"attributes": {"top": "1"}, "ports": ports, "cells": cells, "netnames": netnames}
    return {
        "modules": {"LUT4": {"attributes": {"blackbox": "1"}, "ports": {}, "cells": {}, "netnames": {}}, "top": top}
    }


@needs_tools
def test_placed_cells_become_plain_logic(tmp_path: Path) -> None:
    netlist = placed()
    done = simulated(netlist, "ecp5", tmp_path)
    cells = top_of(netlist)["cells"]
    assert cells["ff$cell"]["connections"]["DI"] == [5]  # a net has the cell's name
    assert cells["lut"]["connections"]["B"] == ["1"]
    assert cells["in"]["type"] == cells["out"]["type"] == "$buf"
    assert "rest" not in cells
    text = (done.folder / "sim.v").read_text()
    assert f"module {NAME}(" in text
    assert "TRELLIS" not in text.replace("\\", "")


def test_pins_of_a_placed_block_that_are_constants() -> None:
    """Open pins read 1, unless their multiplexer says otherwise."""
    muxes = {"ADA0MUX": "0 ", "CSA0MUX": "INV", "OCEAMUX": "OCEA", "CLKAMUX": "CLKA", "DIA0MUX": "1 "}
    block = cell("DP16KD", dict(muxes), ("DOA0",), ADA0=[], CSA0=[], OCEA=[], CLKA=[7], DIA0=[], RSTA=[], DOA0=[8])
    CHANGES["DP16KD"](block, ())
    pins = {pin: bits for pin, bits in block["connections"].items() if pin != "DOA0"}
    assert pins == {"ADA0": ["0"], "CSA0": ["0"], "OCEA": ["1"], "CLKA": [7], "DIA0": ["1"], "RSTA": ["1"]}
    assert not block["parameters"]
    with pytest.raises(HwError, match="reads pin WEA through 'INV'"):
        CHANGES["DP16KD"](cell("DP16KD", {"WEAMUX": "INV"}, (), WEA=[3]), ())


def test_a_placed_gowin_block_has_the_vectors_of_its_model() -> None:
    """A port of 36 bits has pins of the other port, which its model does without."""
    pins = {f"AD{i}": [i + 10] for i in range(14)} | {"DO1": [31], "DO0": [30], "CLK": [9], "ADB0": [5], "CLKB": [9]}
    block = cell("SP", {"BIT_WIDTH": "100100", "READ_MODE": "0"}, ("DO0", "DO1"), **pins)
    block["attributes"]["BSRAM_SUBTYPE"] = "X9"
    CHANGES["SP"](block, ())
    assert block["type"] == "CRQ_SP"
    assert int(block["parameters"]["BYTE"], 2) == 9
    assert block["connections"] == {"CLK": [9], "AD": list(range(10, 24)), "DO": [30, 31]}
    assert block["port_directions"] == {"CLK": "input", "AD": "input", "DO": "output"}
    with pytest.raises(HwError, match="a register behind it"):
        CHANGES["DPX9B"](cell("DPX9B", {"READ_MODE1": "1"}, (), CLKA=[3]), ())

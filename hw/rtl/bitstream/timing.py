"""What place and route found, in the network's words: the clock, the critical path, what is used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Circuits by the instances that hold them (hw/rtl), the innermost that has a name here.
CIRCUITS = {
    "window": "window", "lines": "line buffers", "select": "choice of operands", "weight_rom": "weights",
    "pe": "sum of products", "sums": "adder graph", "lane": "sum of products", "acc": "accumulator",
    "codes": "search of thresholds", "searcher": "search of thresholds", "ramp": "search of thresholds",
    "take": "control of the search", "compare": "comparison with thresholds", "thresholds": "thresholds",
    "search": "search of thresholds", "round": "rounding", "result": "output register", "fifo": "FIFO",
    "widen": "widening of beats", "narrow": "narrowing of beats", "fork": "fork", "steps": "step counter",
    "control": "control", "done": "control", "decimate": "dropping of pixels", "mux": "choice of a sum",
    "start_rom": "start of the sums", "add": "adder", "max": "maximum",
}  # fmt: skip
BOARD = {
    "serial": "wire protocol", "rx": "receiver", "tx": "transmitter", "crc": "CRC", "reset": "reset",
    "from_bytes": "bytes to beats", "to_bytes": "beats to bytes", "pll": "PLL",
}  # fmt: skip
CELLS = {
    "ecp5": {"LUT4": "TRELLIS_COMB", "FF": "TRELLIS_FF", "block RAM": "DP16KD", "IO": "TRELLIS_IO", "PLL": "EHXPLLL"},
    "ice40": {"LUT4 with FF": "ICESTORM_LC", "block RAM": "ICESTORM_RAM", "IO": "SB_IO", "PLL": "ICESTORM_PLL"},
    "gowin": {"LUT4": "LUT4", "FF": "DFF", "ALU": "ALU", "LUT RAM": "RAM16SDP4", "block RAM": "BSRAM", "IO": "IOB",
              "PLL": "rPLL"},
}  # fmt: skip


class Hop(NamedTuple):
    """A piece of a path: ns of `logic` or `routing`, and the cell at its end in the network's words."""

    kind: str
    ns: float
    where: str


class Timing(NamedTuple):
    """mhz: the clock that the design reaches. path: the slowest way between two registers."""

    mhz: float
    path: tuple[Hop, ...]

    @property
    def places(self) -> list[str]:
        """The circuits along the path, each once in a row."""
        found: list[str] = []
        for hop in self.path:
            if not found or found[-1] != hop.where:
                found.append(hop.where)
        return found


class Use(NamedTuple):
    used: int
    available: int


def timing(report: Mapping[str, Any], layers: Mapping[str, str]) -> Timing:
    """The slowest clock of a report of nextpnr, and its path. layers: the name of each layer by its instance's."""
    clock = min(report["fmax"], key=lambda name: report["fmax"][name]["achieved"])
    own, words = f"posedge {clock}", Words(layers)
    paths = [p["path"] for p in report["critical_paths"] if (p["from"], p["to"]) == (own, own)]
    hops = [Hop(h["type"], round(h["delay"], 3), words.of(h["to"]["cell"])) for path in paths[:1] for h in path]
    return Timing(round(report["fmax"][clock]["achieved"], 2), tuple(hops))


def utilisation(report: Mapping[str, Any], family: str) -> dict[str, Use]:
    """What the design uses of the device, as place and route counts."""
    found = report["utilization"]
    return {
        name: Use(found[cell]["used"], found[cell]["available"])
        for name, cell in CELLS[family].items()
        if cell in found and found[cell]["available"]
    }


def read_report(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


class Words:
    """Names of cells as "layer conv1: accumulator"."""

    def __init__(self, layers: Mapping[str, str]) -> None:
        self.layers = layers

    def of(self, cell: str) -> str:
        """The words for a cell `u_network.u_conv1.u_pe0.…`."""
        parts = [part.removeprefix("u_") for part in re.findall(r"u_\w+", cell.split("_TRELLIS")[0])]
        if "network" not in parts:
            return f"board: {_named(parts, BOARD) or 'top'}"
        below = parts[parts.index("network") + 1 :]
        if not below:
            return "network: streams"
        layer = self._layer(below[0])
        circuit = _named(below[1:] if layer in below[0:1] else [below[0].removeprefix(layer), *below[1:]], CIRCUITS)
        return f"layer {layer}: {circuit or 'control'}" if layer else f"network: {circuit or 'streams'}"

    def _layer(self, instance: str) -> str:
        """The layer that an instance is named after: its own, or a stream's in front of it."""
        fitting = [key for key in self.layers if instance == key or instance.startswith(f"{key}_")]
        return self.layers[max(fitting, key=len)] if fitting else ""


def _named(parts: Iterable[str], words: Mapping[str, str]) -> str | None:
    """The words for the innermost of `parts` that has some."""
    found = None
    for part in parts:
        for piece in (part, re.sub(r"\d+$", "", part), *part.split("_")):
            if piece in words:
                found = words[piece]
                break
    return found

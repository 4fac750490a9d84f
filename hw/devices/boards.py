"""Boards that open tools make bitstreams for: one JSON file each in hw/devices/boards, with the source of its pins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from crq.errors import nearest_names
from crq.hw.devices.catalog import Device, boards, find, key
from crq.hw.errors import HwError

FOLDER = Path(__file__).parent / "boards"
USUAL_CLOCK = {"ecp5": 8.0, "ice40": 25.0, "gowin": 20.0, "iCE40UP5K": 40.0}
"""Clock periods in ns, by Yosys family or die, that small networks reach after place and route (docs/bitstream.md)."""
CLOCK = 5.0
"""That of all other parts: no place and route for them was seen."""


FASTEST = 1.0
"""No fabric of a part in the catalogue is clocked faster: AMD's data sheets end below 900 MHz."""


def check_clock(period_ns: float) -> None:
    """Raises `HwError` for a clock period in ns that no part reaches."""
    if not period_ns >= FASTEST:  # nan neither
        raise HwError(f"clock period {period_ns:g} ns: expected at least {FASTEST:g}, which no FPGA goes below")


def usual_clock(device: Device) -> float:
    """The clock period in ns of a project whose user names none."""
    return USUAL_CLOCK.get(device.die, USUAL_CLOCK.get(device.synthesis, CLOCK))


@dataclass(frozen=True)
class OpenBoard:
    """What a design needs to know of a board.

    place: device, package and so on as nextpnr names them. clock: `pin` and `mhz`. uart: the FPGA's `rx` and `tx`.
    leds: pins, which light up when low if `leds_low`. high: pins that must be driven high, by what they are. io: IO
    standard of all pins (`default`) and of `leds`. pll: the primitive, for Gowin with the device it is told. memory:
    beside the FPGA; no design uses it. programmer: arguments of openFPGALoader. source: where the pins are from.
    """

    name: str
    part: str
    place: Mapping[str, str]
    clock: Mapping[str, Any]
    uart: Mapping[str, str]
    leds: tuple[str, ...]
    leds_low: bool
    high: Mapping[str, str]
    io: Mapping[str, str]
    pll: str
    memory: str
    programmer: tuple[str, ...]
    source: str

    @property
    def device(self) -> Device:
        return find(self.part)

    @property
    def family(self) -> str:
        """The Yosys family."""
        return self.device.synthesis


@cache
def open_boards() -> dict[str, OpenBoard]:
    """Every board of the folder, by its name."""
    found = [read(path) for path in sorted(FOLDER.glob("*.json"))]
    return {board.name: board for board in found}


def read(path: Path) -> OpenBoard:
    """The board in a JSON file. Raises `HwError` if a fact is missing or unknown."""
    facts = json.loads(path.read_text())
    known = {field.name for field in fields(OpenBoard)}
    if facts.keys() != known:
        odd = ", ".join(sorted(facts.keys() ^ known))
        raise HwError(f"{path}: a board has exactly the facts {', '.join(sorted(known))}; missing or unknown: {odd}")
    return OpenBoard(**{**facts, "leds": tuple(facts["leds"]), "programmer": tuple(facts["programmer"])})


def find_board(name: str) -> OpenBoard:
    """The board of a name in any spelling. Raises `HwError` with near names, and for boards that need Vivado."""
    by_key = {key(board): board for board in open_boards()}
    if key(name) in by_key:
        return open_boards()[by_key[key(name)]]
    zynq = {key(b.name): b.name for b in boards() if b.vivado}
    known = (
        f"{', '.join(open_boards())}, of open tools; or, with a Zynq, for a Vivado project by `crq bitstream`, "
        f"{', '.join(zynq.values())}"
    )
    others = [b for b in boards() if key(b.name) not in by_key]
    board = next((b for b in others if key(b.name) == key(name)), None) or next(
        # "arty-a7" is a board too, whatever its FPGA.
        (b for b in others if not b.vivado and b.name.lower().startswith(f"{name.lower()}-")),
        None,
    )
    if board:
        raise HwError(
            f"board {name!r}: the FPGA of {board.name}, {board.part}, needs its vendor's tools, Vivado. Expected one "
            f"of {known}"
        )
    usable = by_key | zynq
    near = [usable[k] for k in nearest_names(key(name), usable, cutoff=0.5)]
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    raise HwError(
        f"board {name!r} is not known{hint} Expected one of {known}; a new one is a file in hw/devices/boards"
    )

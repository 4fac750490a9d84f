"""What is refused: layers too large to be unrolled by io_parallel."""

from __future__ import annotations

from crq.hw.dataflow.units import units
from crq.hw.errors import HwError
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac

# Additions of one layer that io_parallel unrolls: non-zero weights times output pixels. Each is a
# circuit, and in HLS an operation of its own; above some ten thousands synthesis no longer ends in reasonable time.
MAX_PARALLEL_ADDITIONS = 1 << 17
MAX_PARALLEL_VALUES = 1 << 14  # of one tensor: every value is a register


def check_limits(network: Network, io_type: str) -> None:
    """Raises `HwError` naming the first layer that is too large for the io_type."""
    if io_type != "io_parallel":
        return
    for unit in units(network):
        layer, name = unit.layer, unit.name
        if unit.output.shape.size > MAX_PARALLEL_VALUES:
            raise HwError(
                f"layer {name!r}: {unit.output.shape.size} output values; io_parallel unrolls at most "
                f"{MAX_PARALLEL_VALUES}. Use io_type='io_stream'"
            )
        if isinstance(layer, Mac):
            additions = layer.nonzeros * layer.output.shape.pixels
            if additions > MAX_PARALLEL_ADDITIONS:
                raise HwError(
                    f"layer {name!r}: {layer.nonzeros} non-zero weights at {layer.output.shape.pixels} pixels are "
                    f"{additions} additions; io_parallel unrolls at most {MAX_PARALLEL_ADDITIONS}. Use "
                    "io_type='io_stream'"
                )

"""What io_parallel refuses: layers too large to be unrolled."""

from __future__ import annotations

from hw.backend.plan import Plan
from hw.errors import HwError
from hw.layers import Mac

# Additions of one layer that io_parallel unrolls: non-zero weights times output pixels. An HLS tool schedules each as
# an operation of its own; above some ten thousands synthesis no longer ends in reasonable time.
MAX_PARALLEL_ADDITIONS = 1 << 17
MAX_PARALLEL_VALUES = 1 << 14  # of one tensor: every value is a register


def check_limits(plan: Plan) -> None:
    """Raises `HwError` naming the first layer that is too large for the plan's io_type."""
    if plan.io_type != "io_parallel":
        return
    for process in plan.processes:
        if process.unit is None:
            continue
        layer, name = process.unit.layer, process.unit.name
        if process.output.shape.size > MAX_PARALLEL_VALUES:
            raise HwError(
                f"layer {name!r}: {process.output.shape.size} output values; io_parallel unrolls at most "
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

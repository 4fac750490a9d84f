"""What is refused: layers too large to be unrolled by io_parallel, weights that do not fit on the part."""

from __future__ import annotations

from hw.backend.plan import Plan
from hw.backend.tables import packing
from hw.devices import Device
from hw.errors import HwError
from hw.layers import Mac

BRAM36_BITS = 36 * 1024
URAM_BITS = 288 * 1024
LUT_ROM_BITS = 64  # of a six-input LUT
LUT_ROM_SHARE = 0.5  # of the LUTs: the rest computes

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


def check_fit(plan: Plan, device: Device) -> None:
    """Raises `HwError` naming the largest layers if the weights exceed all on-chip memory of `device`."""
    if plan.io_type != "io_stream":  # constants there are logic, not memory
        return
    sizes = {}
    for process in plan.processes:
        if process.unit and isinstance(process.unit.layer, Mac):
            layer = process.unit.layer
            sizes[process.unit.name] = layer.weights.size * packing(layer, process.fold.simd).weight_bits
    memory = device.bram36 * BRAM36_BITS + device.uram * URAM_BITS
    capacity = memory + int(device.lut * LUT_ROM_SHARE) * LUT_ROM_BITS
    total = sum(sizes.values())
    if total > capacity:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
        raise HwError(
            f"weights of {total:,} bits exceed the {capacity:,} bits that {device.part} holds ({device.bram36} BRAM36, "
            f"{device.uram} URAM, half of {device.lut:,} LUTs); the largest layers are "
            f"{', '.join(f'{name!r} ({sizes[name]:,} bits)' for name in largest)}. Choose a larger part, or build "
            "anyway with --no-fit-check (fit_check=False)"
        )

"""What is refused: weights that do not fit on the part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crq.hw.cost.primitives import bram18, rom
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.bits import as_bits
from crq.hw.dataflow.memory import weight_bits, weights_in_bram
from crq.hw.devices.catalog import Device
from crq.hw.errors import DoesNotFit
from crq.hw.fold.fit import shares
from crq.hw.hls.plan import Plan, Process
from crq.hw.hls.tables import ordered_weights
from crq.hw.ir.layers import Conv, Dense, Mac

LUT_ROM_SHARE = 0.5  # of the LUTs: the rest computes


def check_fit(plan: Plan, device: Device, slower: Callable[[], str] = lambda: "") -> None:
    """Raises `DoesNotFit` naming the largest layers if the weight ROMs of the plan's foldings exceed `device`;
    `slower` gives the remedy of a lower rate, or nothing.

    Weights only: UltraRAM holds none of them (it cannot be initialised, AMD UG573), and whatever else a network needs
    is for the report to tell.
    """
    if plan.io_type != "io_stream":  # constants there are logic, not memory
        return
    needs = {p.unit.name: weight_rom(p) for p in plan.processes if p.unit and isinstance(p.unit.layer, Mac)}
    total = Resources().plus(*needs.values()).rounded()
    if total.bram18 <= 2 * device.bram36 and total.lut <= LUT_ROM_SHARE * device.lut:
        return
    filled = {name: max(shares(need, device).values()) for name, need in needs.items()}
    stored = [name for name in needs if needs[name].bram18 or round(needs[name].lut)]  # others are constants of adders
    largest = sorted(stored, key=lambda name: -filled[name])[:3]
    remedies = ", ".join(
        filter(None, (slower(), "choose a larger part", "move weights with --rom LAYER=lut or LAYER=bram"))
    )
    raise DoesNotFit(
        f"the weights need {_amount(total)} as they are folded; {device.part} has {device.bram36:,} BRAM36 and, with "
        f"half of its LUTs left to compute, {int(device.lut * LUT_ROM_SHARE):,} LUTs for them; the largest layers are "
        f"{', '.join(f'{name!r} ({_amount(needs[name])})' for name in largest)}. {remedies[0].upper()}{remedies[1:]}, "
        "or build anyway with --no-fit-check (fit_check=False)"
    )


def weight_rom(process: Process) -> Resources:
    """The estimate of a MAC layer's weight ROM as the firmware holds it: the bits of its packed codes."""
    unit, fold = process.unit, process.fold
    assert unit is not None
    layer = unit.layer
    assert isinstance(layer, (Conv, Dense))
    steps = unit.reuse_factor(fold)
    if steps == 1:
        return Resources()  # constants of the adders
    bits = weight_bits(layer)
    if weights_in_bram(layer, fold):
        return Resources(bram18=bram18(steps, layer.weights.size // steps * bits))
    codes = (
        ordered_weights(layer)
        .astype(np.int64)
        .reshape(-1, fold.pe, unit.fan_in // fold.simd, fold.simd)
        .transpose(0, 2, 1, 3)
    )
    return rom(as_bits(codes.reshape(steps, -1), bits), "lut")


def _amount(need: Resources) -> str:
    parts = [f"{need.bram36:,g} BRAM36"] if need.bram18 else []
    return " and ".join(parts + ([f"{need.lut:,.0f} LUTs"] if need.lut or not parts else []))

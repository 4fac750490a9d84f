"""The folding of every unit that the options of a build ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor

from crq.hw.dataflow.streams import intervals
from crq.hw.dataflow.timing import Timing
from crq.hw.dataflow.units import Fold, units
from crq.hw.devices.catalog import Device
from crq.hw.errors import DoesNotFit, HwError
from crq.hw.fold.candidates import Wish
from crq.hw.fold.levels import with_levels
from crq.hw.fold.options import clock_of, roms_of, target_of, wishes_of
from crq.hw.fold.search import Choice, decide
from crq.hw.ir.graph import Network
from crq.options import BuildOptions


def rate_that_fits(network: Network, best_fit: Callable[[], Choice], clock_period_ns: float, timing: Timing) -> str:
    """The remedy that names the images per second of the `best_fit`; empty if no folding is small enough."""
    try:
        folds = best_fit().folds
    except DoesNotFit:
        return ""
    cycles = max(intervals(network, folds, timing).values())
    return f"take --best-fit, which gives {floor(1e9 / (clock_period_ns * cycles)):,} frames/s"


def resolve(
    network: Network, options: BuildOptions, device: Device, timing: Timing,
    explicit: Mapping[str, Wish] | None = None, rom: Mapping[str, str] | None = None,
) -> Choice:  # fmt: skip
    """The search of `crq.hw.fold.search`, or everything unrolled for io_parallel. `explicit` and `rom` take the place
    of the options' foldings and ROM styles. Raises `HwError` for an io_type that there is not, and for wishes that
    nothing can meet."""
    target = target_of(options)
    explicit = wishes_of(options) if explicit is None else explicit
    rom = roms_of(options) if rom is None else rom
    if options.io_type != "io_parallel":
        return decide(
            network, target, device=device, clock_period_ns=clock_of(options), overrides=explicit, rom=rom,
            max_beat=options.max_beat, timing=timing,
        )  # fmt: skip
    if target or explicit or rom:
        raise HwError("io_parallel unrolls every layer: targets, foldings and ROM styles belong to io_stream")
    whole = {unit.name: Fold(unit.output.shape.c, unit.fan_in) for unit in units(network)}
    folds = with_levels(network, whole, device.priced, clock_of(options), unrolled=True)
    return Choice(folds, "an image per cycle: io_parallel unrolls every layer", dict.fromkeys(folds, "unrolled"), {})

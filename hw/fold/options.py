"""What the options of a build ask of the folding search."""

from __future__ import annotations

from crq.hw.dataflow.units import Fold
from crq.hw.devices.boards import usual_clock
from crq.hw.devices.catalog import find
from crq.hw.fold.candidates import Wish
from crq.hw.fold.search import Target
from crq.options import BuildOptions


def target_of(options: BuildOptions) -> Target:
    """What the search aims at."""
    return Target(options.target_fps, options.target_latency, options.best_fit)


def clock_of(options: BuildOptions) -> float:
    """The clock period in ns: the one that is given, or the usual one of the part."""
    return float(usual_clock(find(options.part)) if options.clock_period is None else options.clock_period)


def wishes_of(options: BuildOptions) -> dict[str, Wish]:
    """The foldings that are given, by layer; a `Fold` names its form, a pair leaves it to the search."""
    return {
        name: Wish(values.pe, values.simd, values.form) if isinstance(values, Fold) else Wish(*values)
        for name, values in options.folding.items()
    }


def roms_of(options: BuildOptions) -> dict[str, str]:
    """The ROM styles that are given, by layer: beside a folding, or alone."""
    beside = {name: getattr(values, "rom", "auto") for name, values in options.folding.items()}
    return {**{name: rom for name, rom in beside.items() if rom != "auto"}, **options.weight_rom}

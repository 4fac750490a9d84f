"""Folds of all units from the options of a build and from hls4ml's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crq.hw.dataflow.timing import HLS
from crq.hw.dataflow.units import FORMS, PARALLEL, Fold, Unit, units
from crq.hw.devices import catalog as devices
from crq.hw.errors import HwError
from crq.hw.fold import search as fold
from crq.hw.fold.candidates import Limits, Wish, slowest
from crq.hw.fold.joint import within
from crq.hw.fold.levels import with_levels
from crq.hw.fold.options import clock_of, roms_of, target_of, wishes_of
from crq.hw.fold.resolve import resolve
from crq.hw.fold.search import Choice
from crq.hw.hls.config import DISTRIBUTED_ARITHMETIC, from_config, hls_options
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac


def resolve_folds(network: Network, config: Mapping[str, Any]) -> Choice:
    """The fold of every unit: explicit values first, then hls4ml's ReuseFactor, then the search of
    `crq.hw.fold.search`.

    `config` is hls4ml's, with the options of a build (crq.hw.hls.config). HLSConfig/LayerName/NAME may hold WeightRom,
    and PE and SIMD, or ReuseFactor, with Form; HLSConfig/Model/ReuseFactor above 1 bounds all others (1 is hls4ml's
    default for "not set"). Strategy distributed_arithmetic, of a layer or the model, builds all weights in. Raises
    `HwError` naming the layer for a fold it cannot have and for a name that is no unit, naming the part if it is
    unknown, and naming an option of HLSConfig that has no meaning here.
    """
    given = from_config(config)
    device = devices.find(given.part)
    all_units = {unit.name: unit for unit in units(network)}
    hls = hls_options(config.get("HLSConfig") or {}, all_units)
    target, explicit, rom = target_of(given), wishes_of(given), roms_of(given)
    for name, options in hls.layers.items():
        if given.io_type == "io_parallel" and set(options) == {"strategy"}:
            continue  # every layer is unrolled there
        if found := _from_options(name, options, all_units):
            explicit.setdefault(name, found)
        if "weightrom" in options:
            rom.setdefault(name, options["weightrom"])
    if given.io_type != "io_parallel":
        for name, unit in all_units.items():
            if hls.unrolled and isinstance(unit.layer, Mac):
                explicit.setdefault(name, unrolled(unit))
    limit = 1 if given.io_type == "io_parallel" else hls.reuse_factor
    if limit > 1:
        if target:
            raise HwError(f"Model ReuseFactor {limit} bounds every layer: leave it at 1 to fold for a target")
        bounded = _bounded(network, limit, Limits(explicit, rom, given.max_beat, HLS), device.priced)
        return bounded._replace(folds=with_levels(network, bounded.folds, device.priced, clock_of(given)))
    return resolve(network, given, device, HLS, explicit, rom)


def _bounded(network: Network, limit: int, limits: Limits, family: str) -> Choice:
    """Every unit as small as a reuse factor of `limit` allows, given ones as they are."""
    limits.check(network)
    wishes = {u.name: limits.given.get(u.name) or cheapest(u, limit) for u in units(network)}
    folds = within(network, slowest(network, limits), fold.remembered(family), replace(limits, given=wishes))
    fewest = f"fewest lanes with a reuse factor of at most {limit:,}"
    why = {name: "given" if name in limits.given else fewest for name in folds}
    return Choice(folds, f"a ReuseFactor of at most {limit:,} in every layer", why, {})


def _from_options(name: str, options: Mapping[str, Any], all_units: Mapping[str, Unit]) -> Wish | None:
    """The fold that hls4ml's per-layer options (keys in lower case) ask for; None if they say nothing of it.

    Raises `HwError` for a ReuseFactor that is not the one of the PE and SIMD beside it; 1 is hls4ml's "not set" there.
    """
    unit, reuse = all_units[name], options.get("reusefactor")
    form = options.get("form")
    if "strategy" in options:
        if beside := sorted(
            {"pe", "simd", "reusefactor", "form"} & options.keys() - ({"reusefactor"} if reuse == 1 else set())
        ):
            raise HwError(f"layer {name!r}: Strategy {DISTRIBUTED_ARITHMETIC} unrolls it; remove {', '.join(beside)}")
        return unrolled(unit)
    if "pe" not in options and "simd" not in options:
        if form and reuse is None:
            raise HwError(f"layer {name!r}: Form {form!r} alone; give PE and SIMD, or ReuseFactor, beside it")
        return None if reuse is None else cheapest(unit, reuse, form)
    found = Wish(options.get("pe", 1), options.get("simd", 1), form)
    factors = {unit.reuse_factor(Fold(found.pe, found.simd, form=f)) for f in ([form] if form else FORMS)}
    if reuse not in (None, 1, *factors):
        raise HwError(
            f"layer {name!r}: ReuseFactor {reuse} is not that of PE {found.pe} and SIMD {found.simd} "
            f"({min(factors)}); leave it out"
        )
    return found


def unrolled(unit: Unit) -> Wish:
    """All weights built in. Raises `HwError` for a layer that has none."""
    if not isinstance(unit.layer, Mac):
        raise HwError(
            f"layer {unit.name!r}: Strategy {DISTRIBUTED_ARITHMETIC} is for layers with weights, and a "
            f"{unit.layer.kind} has none. Remove it"
        )
    return Wish(unit.output.shape.c, unit.fan_in, PARALLEL)


def cheapest(unit: Unit, reuse: int, form: str | None = None) -> Wish:
    """The fewest lanes with a reuse factor of at most `reuse`, in a form if one is named; wide SIMD before many PE.

    Raises `HwError` if there are none.
    """
    if reuse < 1:
        raise HwError(f"layer {unit.name!r}: ReuseFactor {reuse}; expected at least 1")
    allowed = [f for f in unit.legal_folds() if form in (None, f.form) and unit.reuse_factor(f) <= reuse]
    if not allowed:
        raise HwError(f"layer {unit.name!r}: Form {form!r} has no folding with a ReuseFactor of at most {reuse}")
    found = min(allowed, key=lambda f: (f.pe * f.simd, abs(f.simd - 2 * f.pe), f))
    both = all(unit.reuse_factor(f) <= reuse for f in unit.legal_folds() if f[:2] == found[:2])
    return Wish(found.pe, found.simd, form if both else found.form)

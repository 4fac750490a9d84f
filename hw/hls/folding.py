"""Folds of all units from the options of a build and from hls4ml's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw.dataflow.units import PARALLEL, Fold, Unit, units
from hw.devices import catalog as devices
from hw.errors import HwError
from hw.fold import search as fold
from hw.fold.options import folds_of, target_of
from hw.fold.search import Choice
from hw.hls.config import from_config, hls_options
from hw.ir.graph import Network


def resolve_folds(network: Network, config: Mapping[str, Any]) -> Choice:
    """The fold of every unit: explicit values first, then hls4ml's ReuseFactor, then the search of `hw.fold.search`.

    `config` is hls4ml's, with the options of a build (hw.hls.config). HLSConfig/LayerName/NAME may hold WeightRom, and
    PE and SIMD, or ReuseFactor, with Form; HLSConfig/Model/ReuseFactor above 1 bounds all others (1 is hls4ml's default
    for "not set"). Raises `HwError` naming the layer for a fold it cannot have and for a name that is no unit, naming
    the part if it is unknown, and naming an option of HLSConfig that has no meaning here.
    """
    given = from_config(config)
    device = devices.find(given.part)
    all_units = {unit.name: unit for unit in units(network)}
    hls = hls_options(config.get("HLSConfig") or {}, all_units)
    target, explicit, rom = target_of(given), folds_of(given), dict[str, str](given.weight_rom)
    for name, options in hls.layers.items():
        if found := _from_options(name, options, all_units):
            explicit.setdefault(name, found)
        if "weightrom" in options:
            rom.setdefault(name, options["weightrom"])
    if given.io_type == "io_parallel":
        if target or explicit or rom:
            raise HwError("io_parallel unrolls every layer: targets, foldings and ROM styles belong to io_stream")
        folds = {name: Fold(unit.output.shape.c, unit.fan_in) for name, unit in all_units.items()}
        return Choice(folds, "io_parallel unrolls every layer", dict.fromkeys(folds, "unrolled"))
    limit = hls.reuse_factor
    if limit > 1:
        if target:
            raise HwError(f"Model ReuseFactor {limit} bounds every layer: leave it at 1 to fold for a target")
        return _bounded(network, limit, explicit, rom)
    return fold.decide(network, target, device=device, clock_period_ns=given.clock_period, overrides=explicit, rom=rom)


def _bounded(network: Network, limit: int, explicit: Mapping[str, Fold], rom: Mapping[str, str]) -> Choice:
    """Every unit as small as a reuse factor of `limit` allows, `explicit` ones as they are."""
    fold.check(network, explicit)
    fold.check_rom(network, rom)
    folds, why = {}, {}
    for unit in units(network):
        given = explicit.get(unit.name)
        found = given or cheapest(unit, limit)
        folds[unit.name] = found._replace(rom=rom.get(unit.name, found.rom))
        why[unit.name] = "given" if given else f"fewest lanes with a reuse factor of at most {limit:,}"
    return Choice(folds, f"a ReuseFactor of at most {limit:,} in every layer", why)


def _from_options(name: str, options: Mapping[str, Any], all_units: Mapping[str, Unit]) -> Fold | None:
    """The fold that hls4ml's per-layer options (keys in lower case) ask for; None if they say nothing of it.

    Raises `HwError` for a ReuseFactor that is not the one of the PE and SIMD beside it; 1 is hls4ml's "not set" there.
    """
    unit, reuse = all_units[name], options.get("reusefactor")
    form = options.get("form")
    if "pe" not in options and "simd" not in options:
        if form and reuse is None:
            raise HwError(f"layer {name!r}: Form {form!r} alone; give PE and SIMD, or ReuseFactor, beside it")
        return None if reuse is None else cheapest(unit, reuse, form or PARALLEL)
    found = Fold(options.get("pe", 1), options.get("simd", 1), form=form or PARALLEL)
    if reuse not in (None, 1, unit.reuse_factor(found)):
        raise HwError(
            f"layer {name!r}: ReuseFactor {reuse} is not that of PE {found.pe} and SIMD {found.simd} "
            f"({unit.reuse_factor(found)}); leave it out"
        )
    return found


def cheapest(unit: Unit, reuse: int, form: str = PARALLEL) -> Fold:
    """The fold of a form with the fewest lanes whose reuse factor is at most `reuse`; wide SIMD before many PE lanes.

    A unit without a window has one form. Raises `HwError` if there is none.
    """
    if reuse < 1:
        raise HwError(f"layer {unit.name!r}: ReuseFactor {reuse}; expected at least 1")
    allowed = [f for f in unit.legal_folds() if f.form == form and unit.reuse_factor(f) <= reuse]
    if not allowed:
        raise HwError(f"layer {unit.name!r}: Form {form!r} has no folding with a ReuseFactor of at most {reuse}")
    return min(allowed, key=lambda f: (f.pe * f.simd, abs(f.simd - 2 * f.pe), f))

"""Folds of all units from the options of a build and from hls4ml's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw import devices, fold
from hw.errors import HwError
from hw.graph import Network
from hw.units import Fold, Unit, units


def resolve_folds(network: Network, config: Mapping[str, Any]) -> dict[str, Fold]:
    """The fold of every unit: explicit values first, then hls4ml's ReuseFactor, then the search of `hw.fold`.

    `config` is hls4ml's: `Folding` maps unit names to (PE, SIMD); HLSConfig/LayerName/NAME may hold PE and SIMD, or
    ReuseFactor; HLSConfig/Model/ReuseFactor above 1 bounds all others (1 is hls4ml's default for "not set").
    Raises `HwError` naming the layer for a fold it cannot have and for a name that is no unit, and naming the part if
    it is unknown.
    """
    device = devices.find(config["Part"])
    all_units = {unit.name: unit for unit in units(network)}
    if config["IOType"] == "io_parallel":
        return {name: Fold(unit.output.shape.c, unit.fan_in) for name, unit in all_units.items()}
    hls = config.get("HLSConfig") or {}
    explicit = {name: Fold(*values) for name, values in (config.get("Folding") or {}).items()}
    for name, options in (hls.get("LayerName") or {}).items():
        if found := _from_options(name, options, all_units):
            explicit.setdefault(name, found)
    limit = int((hls.get("Model") or {}).get("ReuseFactor") or 1)
    if limit > 1:
        fold.check(network, explicit)
        return {name: explicit.get(name) or cheapest(unit, limit) for name, unit in all_units.items()}
    return fold.choose(
        network, device=device, clock_period_ns=float(config["ClockPeriod"]), target_fps=config.get("TargetFps"),
        overrides=explicit,
    )  # fmt: skip


def _from_options(name: str, options: Mapping[str, Any], all_units: Mapping[str, Unit]) -> Fold | None:
    """The fold that hls4ml's per-layer options ask for; None if they say nothing of it."""
    options = {str(key).lower(): value for key, value in options.items()}
    if not {"pe", "simd", "reusefactor"} & options.keys():
        return None
    if name not in all_units:
        raise HwError(f"hls_config of {name!r}: no such layer; the layers are {', '.join(all_units)}")
    if "pe" in options or "simd" in options:
        return Fold(int(options.get("pe", 1)), int(options.get("simd", 1)))
    return cheapest(all_units[name], int(options["reusefactor"]))


def cheapest(unit: Unit, reuse: int) -> Fold:
    """The fold with the fewest lanes whose reuse factor is at most `reuse`; wide SIMD before many PE lanes."""
    if reuse < 1:
        raise HwError(f"layer {unit.name!r}: ReuseFactor {reuse}; expected at least 1")
    allowed = [f for f in fold.legal(unit) if unit.reuse_factor(f) <= reuse]
    return min(allowed, key=lambda f: (f.pe * f.simd, abs(f.simd - 2 * f.pe), f))

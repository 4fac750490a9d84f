"""Folds of all units from the options of a build and from hls4ml's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hw.backend.plan import check_fold
from hw.errors import HwError
from hw.graph import Network
from hw.layers import Mac
from hw.units import Fold, Unit, units

DEFAULT_REUSE = 128  # cycles per output pixel that an untargeted build allows


def resolve_folds(network: Network, config: Mapping[str, Any]) -> dict[str, Fold]:
    """The fold of every unit: explicit values first, then hls4ml's ReuseFactor, then the search.

    `config` is hls4ml's: `Folding` maps unit names to `Fold`; HLSConfig/LayerName/NAME may hold PE and SIMD, or
    ReuseFactor; HLSConfig/Model/ReuseFactor above 1 bounds all others (1 is hls4ml's default for "not set").
    Raises `HwError` naming the layer for a fold it cannot have and for a name that is no unit.
    """
    all_units = {unit.name: unit for unit in units(network)}
    if config["IOType"] == "io_parallel":
        return {name: Fold(unit.output.shape.c, unit.fan_in) for name, unit in all_units.items()}
    hls = config.get("HLSConfig") or {}
    explicit = dict(config.get("Folding") or {})
    for name, options in (hls.get("LayerName") or {}).items():
        if fold := _from_options(name, options, all_units):
            explicit.setdefault(name, fold)
    for name, fold in explicit.items():
        if name not in all_units:
            raise HwError(f"folding of {name!r}: no such layer; the layers are {', '.join(all_units)}")
        explicit[name] = Fold(*fold)
        check_fold(all_units[name], explicit[name])
    limit = int((hls.get("Model") or {}).get("ReuseFactor") or 1)
    if limit > 1:
        return {name: explicit.get(name) or cheapest(unit, limit) for name, unit in all_units.items()}
    cycles = _cycle_target(config)
    return {name: explicit.get(name) or cheapest(unit, _allowed(unit, cycles)) for name, unit in all_units.items()}


def _from_options(name: str, options: Mapping[str, Any], all_units: Mapping[str, Unit]) -> Fold | None:
    options = {str(key).lower(): value for key, value in options.items()}
    if not {"pe", "simd", "reusefactor"} & options.keys():
        return None
    if name not in all_units:
        raise HwError(f"hls_config of {name!r}: no such layer; the layers are {', '.join(all_units)}")
    unit = all_units[name]
    if "pe" in options or "simd" in options:
        return Fold(int(options.get("pe", 1)), int(options.get("simd", 1)))
    return cheapest(unit, int(options["reusefactor"]))


def _cycle_target(config: Mapping[str, Any]) -> float | None:
    fps = config.get("TargetFps")
    if fps is None:
        return None
    if not fps > 0:
        raise HwError(f"target_fps {fps!r}: expected a positive number of frames per second")
    return 1e9 / float(config["ClockPeriod"]) / float(fps)


def _allowed(unit: Unit, cycles: float | None) -> int:
    """Cycles per output pixel that let the unit finish an image in `cycles`."""
    if cycles is None:
        return DEFAULT_REUSE
    return int(max(1, cycles // max(unit.output.shape.pixels, unit.layer.input.shape.pixels)))


def cheapest(unit: Unit, reuse: int) -> Fold:
    """The fold with the fewest lanes whose reuse factor is at most `reuse`; wide SIMD before many PE lanes."""
    if reuse < 1:
        raise HwError(f"layer {unit.name!r}: ReuseFactor {reuse}; expected at least 1")
    legal = [f for f in unit.legal_folds() if unit.reuse_factor(f) <= reuse and _has_hardware(unit, f)]
    return min(legal, key=lambda f: (f.pe * f.simd, abs(f.simd - 2 * f.pe), f))


def _has_hardware(unit: Unit, fold: Fold) -> bool:
    if not isinstance(unit.layer, Mac):
        return True
    per_group = unit.output.shape.c // unit.layer.groups
    return per_group % fold.pe == 0 or fold.pe % per_group == 0

"""Whether a folding fits its part by the estimate, what is short, and which weights would better lie elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.memory import weights_in_bram
from crq.hw.dataflow.timing import RTL, Timing
from crq.hw.dataflow.units import FOLDED, Fold, units
from crq.hw.devices.catalog import Device
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Mac


def shares(used: Resources, device: Device) -> dict[str, float]:
    """Of the device's LUTs, FFs and block RAM, by resource."""
    pairs = {"LUT": (used.lut, device.lut), "FF": (used.ff, device.ff), "BRAM36": (used.bram36, device.bram36)}
    return {k: have / of if of else float("inf") if have else 0.0 for k, (have, of) in pairs.items()}


def filled(
    network: Network, folds: Mapping[str, Fold], device: Device, io_type: str = "io_stream", timing: Timing = RTL
) -> dict[str, float]:  # fmt: skip
    """The shares that `folds` take by the estimate."""
    return shares(estimate(network, folds, device.priced, io_type, timing).total, device)


def fill(
    network: Network, folds: Mapping[str, Fold], device: Device, io_type: str = "io_stream", timing: Timing = RTL
) -> float:  # fmt: skip
    """The largest of the shares."""
    return max(filled(network, folds, device, io_type, timing).values())


def told(found: Mapping[str, float], limit: float = 1.0) -> str:
    """The shares above `limit`, or that of the fullest resource."""
    over = {name: share for name, share in found.items() if share > limit}
    fullest = max(found, key=lambda name: found[name])
    return ", ".join(f"{name} {share:.0%}" for name, share in (over or {fullest: found[fullest]}).items())


def relief(
    network: Network, folds: Mapping[str, Fold], device: Device, timing: Timing, limit: float = 1.0
) -> tuple[tuple[str, ...], float] | None:
    """Layers whose weights, moved from block RAM to LUTs, make a folding fit, as few as a greedy choice finds, and the
    share that is then filled; None where block RAM is not what is short, or none do."""
    found = filled(network, folds, device, timing=timing)
    moved: tuple[str, ...] = ()
    current = dict(folds)
    while max(found.values()) > limit:
        if found["BRAM36"] < max(found.values()):
            return None
        tries = []
        for unit in units(network):
            fold = current[unit.name]
            if not isinstance(unit.layer, Mac) or (fold.form != FOLDED and unit.reuse_factor(fold) == 1):
                continue  # no weights, or constants of the circuit
            if fold.rom == "auto" and weights_in_bram(unit.layer, fold):
                changed = {**current, unit.name: fold._replace(rom="lut")}
                tries.append((filled(network, changed, device, timing=timing), unit.name, changed))
        if not tries:
            return None
        found, name, current = min(tries, key=lambda each: (max(each[0].values()), each[1]))
        moved += (name,)
    return moved, max(found.values())


def remedy(network: Network, folds: Mapping[str, Fold], device: Device, timing: Timing, limit: float = 1.0) -> str:
    """Options of a build with which it fits, or a larger part."""
    found = relief(network, folds, device, timing, limit)
    if found is None:
        return "take a larger part"
    options = " ".join(f"--rom {name}=lut" for name in found[0])
    return f"try `{options}`, which fills {found[1]:.0%}, or take a larger part"

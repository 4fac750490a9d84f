"""The folding of a project in the terminal: per layer what was chosen, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from crq.hw.dataflow.memory import weights_in_bram
from crq.hw.dataflow.streams import intervals
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.devices.catalog import find
from crq.hw.fold.fit import filled, told
from crq.hw.ir.layers import Mac

if TYPE_CHECKING:
    from crq.hw.forms.built import Built


def filling(built: Built) -> dict[str, float]:
    """The shares of its part that the project takes by the estimate, by resource."""
    return filled(built.network, built.folds, find(built.manifest.part), built.manifest.io_type, built.timing)


def filling_told(built: Built) -> str:
    """What the whole takes of the part by the estimate, in a sentence."""
    device, unrolled, shares = find(built.manifest.part), built.manifest.io_type == "io_parallel", filling(built)
    basis = "the estimate of the unrolled design" if unrolled else "the estimate"
    fullest = max(shares, key=lambda name: shares[name])
    share = f"{shares[fullest]:.0%}" if shares[fullest] >= 0.005 else "less than 1%"
    verdict = f"the fullest resource of {device.part}, {fullest}, is filled to {share} by {basis}"
    return verdict + (f": it does not fit ({told(shares)})" if shares[fullest] > 1 else "")


def folding_table(built: Built, narrow: bool = False) -> Table:
    """One row per unit. A narrow one leaves the reasons to the project's README."""
    unrolled = built.manifest.io_type == "io_parallel"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("layer", "form", "PE × SIMD", "cycles", "weights in", *([] if narrow else ["why"])):
        table.add_column(name, justify="right" if name == "cycles" else "left")
    paced = {} if unrolled else intervals(built.network, built.folds, built.timing)
    for unit in units(built.network):
        fold = built.folds[unit.name]
        taken = "" if unrolled else f"{paced[unit.name]:,}"
        place = "logic" if unrolled else _place(unit, fold)
        form = fold.form if unit.is_windowed and not unrolled else ""
        why = [] if narrow else [built.manifest.why[unit.name]]
        table.add_row(unit.name, form, f"{fold.pe} × {fold.simd}", taken, place, *why)
    return table


def _place(unit: Unit, fold: Fold) -> str:
    if not isinstance(unit.layer, Mac):
        return ""
    if unit.reuse_factor(fold) == 1 and fold.form != FOLDED:
        return "logic"
    return "block RAM" if weights_in_bram(unit.layer, fold) else "LUTs"

"""What becomes of the sums of a unit, in C++: codes by comparison, along a progression, by rounding; or nothing."""

from __future__ import annotations

from typing import NamedTuple

from hw.dataflow.bits import signed_width
from hw.dataflow.progressions import progression, rounding
from hw.dataflow.stages import code_table, stage
from hw.dataflow.thresholds import filled_levels
from hw.hls.plan import Process
from hw.hls.source import number
from hw.hls.tables import Table, integer_table, threshold_table
from hw.ir.layers import Threshold


class Codes(NamedTuple):
    """`declaration` of the object `codes`, the tables it reads, and what it needs in the configuration."""

    declaration: str
    tables: list[Table]
    fields: list[str]


def codes_of(process: Process) -> Codes:
    """The codes of the unit of `process`, found as the estimate counts them where a tool can (`stages.stage`)."""
    unit, config = process.unit, f"{process.name}_config"
    assert unit is not None
    layer = unit.quantizer
    if layer is None:
        return Codes("const crq::no_codes codes = crq::no_codes();", [], [])
    kind = stage(unit, process.fold).kind
    if kind == "round":
        return Codes(f"const crq::rounded<{config}> codes = crq::rounded<{config}>();", [], _rounded(layer))
    if kind == "ramp":
        return _ramp(process.name, config, layer, process.fold.pe)
    table = threshold_table(process.name, layer, process.fold.pe)
    declaration = f"const crq::compared<{config}, decltype({table.name})> codes({table.name});"
    fields = [number("levels", filled_levels(layer)), number("code_min", layer.qmin, "int")]
    return Codes(declaration, [table], fields)


def _lowest(layer: Threshold) -> int:
    fmt = layer.output.format
    return -(1 << (fmt.bits - 1)) if fmt.signed else 0


def _rounded(layer: Threshold) -> list[str]:
    table = code_table(layer)
    found = rounding(table)
    assert found is not None
    bits = signed_width(int(table.lo.min()) + found.offset, int(table.hi.max()) + found.offset)
    lowest = _lowest(layer)
    return [
        number("code_min", lowest, "int"),
        number("code_max", lowest + (1 << table.bits) - 1, "int"),
        number("shift", found.shift),
        number("offset", found.offset, "int"),
        number("round_bits", max(bits, found.shift + table.bits) + 2, "int"),
    ]


def _ramp(name: str, config: str, layer: Threshold, pe: int) -> Codes:
    table = code_table(layer)
    found = progression(table)
    assert found is not None
    bases = integer_table(f"{name}_bases", found.b.reshape(-1, pe))
    slopes = integer_table(f"{name}_slopes", found.D.reshape(-1, pe))
    fields = [
        number("code_min", _lowest(layer), "int"),
        number("code_bits", table.bits),
        number("fraction", found.f),
        number("rest_bits", max(found.sum_bits(table.lo, table.hi), found.d_bits + table.bits) + 1, "int"),
    ]
    types = f"{config}, decltype({bases.name}), decltype({slopes.name})"
    return Codes(f"const crq::ramp<{types}> codes({bases.name}, {slopes.name});", [bases, slopes], fields)

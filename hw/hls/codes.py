"""What becomes of the sums of a unit, in C++: codes by comparison, along a progression, by rounding; or nothing."""

from __future__ import annotations

from typing import NamedTuple

from crq.hw.dataflow.bits import signed_width
from crq.hw.dataflow.progressions import ramp, rounding
from crq.hw.dataflow.stages import Stage, code_table, stage
from crq.hw.dataflow.thresholds import Table as CodeTable
from crq.hw.dataflow.thresholds import filled_levels
from crq.hw.hls.plan import Process
from crq.hw.hls.source import number
from crq.hw.hls.tables import THRESHOLDS, Table, integer_table, threshold_table
from crq.hw.ir.layers import Threshold


class Codes(NamedTuple):
    """`declaration` of the object `codes`, the tables it reads, and what it needs in the configuration.

    `pragmas` place the tables; none of its own: all of a block of channels is read at once. `one_by_one`: lanes are
    searched one after the other (crq_codes.h).
    """

    declaration: str
    tables: list[Table]
    fields: list[str]
    pragmas: list[str] | None = None

    @property
    def one_by_one(self) -> bool:
        return self.pragmas is not None


def codes_of(process: Process) -> Codes:
    """The codes of the unit of `process`, found as the estimate counts them where a tool can (`stages.stage`)."""
    unit, config = process.unit, f"{process.name}_config"
    assert unit is not None
    layer = unit.quantizer
    if layer is None:
        return Codes("const crq::no_codes codes = crq::no_codes();", [], [])
    chosen, pe = stage(unit, process.fold), process.fold.pe
    if chosen.kind == "round":
        return Codes(f"const crq::rounded<{config}> codes = crq::rounded<{config}>();", [], _rounded(layer))
    if chosen.kind == "divide":
        return _ramp(process.name, config, layer, pe)
    if chosen.kind == "ramp":
        return _one_by_one(_ramp(process.name, config, layer, pe), chosen)
    if chosen.sequential:
        return _one_by_one(_searched(process.name, config, layer, pe), chosen)
    table = threshold_table(process.name, layer, pe)
    declaration = f"const crq::compared<{config}, decltype({table.name})> codes({table.name});"
    fields = [number("levels", filled_levels(layer)), number("code_min", layer.qmin, "int")]
    return Codes(declaration, [table], fields)


def _searched(name: str, config: str, layer: Threshold, pe: int) -> Codes:
    found = code_table(layer)
    assert isinstance(found, CodeTable)
    levels = found.rows.shape[1]
    table = integer_table(f"{name}_thresholds", found.rows.reshape(-1, pe, levels), THRESHOLDS)
    fields = [number("levels", levels), number("code_min", _lowest(layer), "int"), number("code_bits", found.bits)]
    return Codes(f"const crq::searched<{config}, decltype({table.name})> codes({table.name});", [table], fields)


def _one_by_one(codes: Codes, chosen: Stage) -> Codes:
    """`codes` with its tables where the estimate has them: each searcher reads its own lanes, a word per cycle."""
    pragmas = []
    for table in codes.tables:
        if chosen.searchers > 1:
            pragmas.append(f"#pragma HLS ARRAY_PARTITION variable={table.name} block factor={chosen.searchers} dim=2")
        impl = "bram" if chosen.kind == "bram" else "lutram"
        pragmas.append(f"#pragma HLS BIND_STORAGE variable={table.name} type=rom_1p impl={impl}")
    return codes._replace(pragmas=pragmas, fields=[*codes.fields, number("searchers", chosen.searchers)])


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
    found = ramp(code_table(layer))
    assert found is not None
    along = found.progression
    fields = [
        number("code_min", _lowest(layer), "int"),
        number("code_bits", found.bits),
        number("fraction", along.f),
        number("half_even", int(along.ties)),
        number("least", along.least, "int"),
        number("most", along.highest, "int"),
        number("rest_bits", max(found.sum_bits, found.d_bits + found.bits) + 1, "int"),
    ]
    way = "a sum above (b + k * D) / 2^fraction has passed entry k" + ("; on it, where k is even" if along.ties else "")
    tables = [integer_table(f"{name}_bases", along.b.reshape(-1, pe), f"[block][channel]: b; {way}")]
    tables.append(integer_table(f"{name}_slopes", along.D.reshape(-1, pe), "[block][channel]: D"))
    names, before = [table.name for table in tables], ""
    if found.starts:
        says = "[block][channel]: how many entries every sum has passed"
        tables.append(integer_table(f"{name}_firsts", along.starts.reshape(-1, pe), says))
        names.append(tables[-1].name)
    else:
        before, names = "const crq::no_table firsts = crq::no_table();\n    ", [*names, "firsts"]
    types = ", ".join([config, *(f"decltype({n})" for n in names)])
    return Codes(f"{before}const crq::ramp<{types}>\n        codes({', '.join(names)});", tables, fields)

"""The adder graphs of a report: how large, and how many levels of adders lie between two registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crq.hw.dataflow.schedule import graph_stages
from crq.hw.dataflow.units import Fold, Unit
from crq.hw.graphs.layer import layer_stages
from crq.hw.ir.layers import Mac


def facts(unit: Unit, fold: Fold, family: str, unrolled: bool) -> dict[str, int] | None:
    """Of a unit whose weights are all built in, else None; `unrolled`: a unit of io_parallel, per output pixel."""
    if not isinstance(unit.layer, Mac) or not (unrolled or unit.is_unrolled(fold)):
        return None
    found = layer_stages(unit.layer, family, graph_stages(unit.layer, fold.levels))
    return {
        "adders": len(found.graph.adders),
        "of_three_operands": sum(len(adder.terms) == 3 for adder in found.graph.adders),
        "levels": found.graph.depth,
        "stages": found.stages,
        "levels_per_stage": found.levels_per_stage,
    }


def text(rows: Sequence[dict[str, Any]]) -> str:
    """One sentence on all graphs of a report's units; empty if there is none."""
    graphs = [(row["name"], row["adder_graph"]) for row in rows if row.get("adder_graph")]
    parts = [
        f"{name} {g['adders']:,} adders, {g['stages']} × {g['levels_per_stage']} levels at most" for name, g in graphs
    ]
    return f"Adder graphs of an output pixel, register stages × levels: {'; '.join(parts)}" if parts else ""


def duration(microseconds: float) -> str:
    """A latency in the unit that suits it."""
    return f"{1000 * microseconds:,.0f} ns" if microseconds < 1 else f"{microseconds:,.1f} µs"

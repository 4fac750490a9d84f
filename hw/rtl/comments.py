"""The comment above the module of each layer."""

from __future__ import annotations

from crq.hw.dataflow.beats import beat_out, beats_in
from crq.hw.dataflow.rings import ring
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.units import FOLDED, Fold, Unit
from crq.hw.forms.comments import Described, comment
from crq.hw.graphs.layer import OPERANDS


def describe(unit: Unit, fold: Fold, name: str, family: str) -> str:
    """A `//` comment of several lines: of a unit in a stream."""
    taken, memory = cycles(unit, fold), ""
    if unit.is_windowed and fold.form == FOLDED:
        found = ring(unit, fold)
        memory = f"folded: {found.rows} rows of {found.row_words} words in one memory"
    beats = (*beats_in(unit, fold), beat_out(unit, fold))
    return comment(
        Described(name, unit, fold, OPERANDS[family], unit.sources, beats, taken.steps, taken.interval, memory)
    )


def describe_unrolled(unit: Unit, name: str, family: str) -> str:
    """The same of a unit that takes a whole image in every cycle."""
    return comment(Described(name, unit, Fold(unit.output.shape.c, unit.fan_in), OPERANDS[family], unit.sources))

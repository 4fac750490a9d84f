"""Each form of a case: simulated, then synthesised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.area import folded
from benchmarks.area.case import Case
from benchmarks.area.circuit import Circuit, framed
from benchmarks.area.folded import Folded, folded_units
from benchmarks.area.graphs import adder_graphs
from benchmarks.area.peers.environment import PEERS, circuits
from benchmarks.area.peers.three import on_our_adder
from benchmarks.area.peers.widened import widened
from benchmarks.area.simulate import Verdict, check
from benchmarks.area.trees import adder_trees
from crq.errors import ToolError
from crq.hw.rtl.synth import synthesize

BASE = "da4ml"
"""The form that the others are compared with."""


class Row(NamedTuple):
    form: str
    verdict: Verdict
    luts: int
    ffs: int
    yosys_s: float
    cycles: int = 1  # per product
    adders: int | None = None
    depth: int | None = None
    cpu_s: float | None = None  # of the solver
    wall_s: float | None = None
    note: str = ""


class Settings(NamedTuple):
    family: str
    cache: Path
    peers: Path
    seconds: float  # that a peer may take
    searches: tuple[float, ...]  # CPU seconds of our solver, beside its default
    vectors: int
    forms: tuple[str, ...]  # beginnings of their names; none: all

    def wanted(self, form: str) -> bool:
        return not self.forms or form.startswith(self.forms)

    def any_of(self, family: str) -> bool:
        """Whether forms whose names begin with `family` may be wanted."""
        return self.wanted(family) or any(form.startswith(family) for form in self.forms)


def rows(case: Case, settings: Settings) -> Iterator[Row]:
    """The base first; a form that a tool cannot make is reported and left out."""
    for peer in PEERS:
        if settings.any_of(peer.name):
            try:
                made = list(circuits(peer, case, settings.peers, settings.seconds))
            except ToolError as error:
                click.echo(f"{peer.name}: {error}")
                continue
            made += [widened(c) for c in made if c.form == "da4ml, untraced"]
            made += [on_our_adder(c) for c in made if c.form == "alkaid, 3-input adders"]
            yield from (circuit_row(c, case, settings) for c in made if settings.wanted(c.form))
    if settings.any_of("our graph"):
        graphs = adder_graphs(case, settings.family, settings.searches)
        yield from (circuit_row(c, case, settings) for c in graphs if settings.wanted(c.form))
    trees = adder_trees(case)
    if settings.wanted(trees.form):
        yield circuit_row(trees, case, settings)
    for unit in folded_units(case):
        if settings.wanted(unit.form):
            yield unit_row(unit, case, settings)


def circuit_row(circuit: Circuit, case: Case, settings: Settings) -> Row:
    design = framed(circuit, case)
    verdict = check(design, case, settings.family, settings.vectors)
    found = synthesize(design, settings.family, cache=settings.cache)
    total = found.total()
    return Row(circuit.form, verdict, total.lut, total.ff, found.seconds, 1, circuit.adders, circuit.depth,
               circuit.cpu_s, circuit.wall_s, circuit.note)  # fmt: skip


def unit_row(unit: Folded, case: Case, settings: Settings) -> Row:
    verdict = folded.check(unit, case, settings.family, settings.vectors)
    found = synthesize(unit.design, settings.family, cache=settings.cache)
    total = found.total()
    return Row(unit.form, verdict, total.lut, total.ff, found.seconds, unit.cycles)

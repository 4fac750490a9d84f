"""Our unit of a matrix: unrolled as an adder graph, or with weights in ROMs and a few lanes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.area.case import Case
from benchmarks.area.simulate import Verdict, compared, on_fabric, vectors
from crq.hw.dataflow.beats import beats_in
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.units import Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from crq.hw.rtl.verilator import beats, run
from crq.hw.rtl.verilog import Design
from tests.support.random_graphs import GraphBuilder


class Folded(NamedTuple):
    """A whole unit: window, control, lanes. `cycles` per product."""

    form: str
    unit: Unit
    fold: Fold
    cycles: int

    @property
    def design(self) -> Design:
        return generate_unit(self.unit, self.fold)


def folded_units(case: Case) -> Iterator[Folded]:
    """Of all inputs and outputs at once, then of fewer and fewer lanes."""
    inputs, outputs = case.matrix.shape
    g = GraphBuilder((inputs, 1, 1), case.format.qonnx)
    dense = Network(g.finish(g.matmul(g.flatten("x"), outputs, weights=case.matrix)))
    unit = units(dense)[0]
    wanted = [(outputs, inputs), (outputs, inputs // 4), (outputs // 4, inputs // 4), (1, inputs // 4)]
    for fold in (Fold(pe, simd) for pe, simd in wanted if outputs % max(pe, 1) == 0 and inputs % simd == 0):
        form = "unrolled" if fold.simd == inputs else "folded"
        yield Folded(f"our unit, {form}, PE {fold.pe} × SIMD {fold.simd}", unit, fold, cycles(unit, fold).interval)


def check(folded: Folded, case: Case, family: str, count: int = 400) -> Verdict:
    """Simulates the whole unit, all vectors back to back."""
    unit, x = folded.unit, vectors(case, count)
    images = x.reshape(len(x), -1, 1, 1)
    given = beats(images, beats_in(unit, folded.fold)[0])
    pe, outputs = folded.fold.pe, case.matrix.shape[1]
    with tempfile.TemporaryDirectory(prefix="crq-area-") as name:
        found = run(on_fabric(folded.design, family), Path(name), [(given, unit.inputs[0].format)], unit.output.format,
                    pe, len(x) * outputs // pe)  # fmt: skip
    return compared(found.values.reshape(len(x), outputs), x @ case.matrix)

"""Registers that a fast clock adds."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from crq.hw.cost.registers import clock_registers
from crq.hw.cost.resources import Resources
from crq.hw.cost.units import cost
from crq.hw.dataflow.units import FOLDED, Fold, Unit, units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate_unit
from crq.hw.rtl.synth import synthesize
from tests.support.random_graphs import GraphBuilder


def unit_of(kind: str) -> Unit:
    g = GraphBuilder((8, 6, 6), "UINT4", seed=3)
    if kind == "pool":
        return units(Network(g.finish(g.max_pool("x", (2, 2), (2, 2)))))[0]
    return units(Network(g.finish(g.threshold(g.conv("x", 8), 4))))[0]


def test_the_default_folding_has_none() -> None:
    for kind in ("pool", "mac"):
        unit = unit_of(kind)
        assert all(clock_registers(unit, fold) == Resources() for fold in unit.legal_folds())
        assert "registers" not in cost(unit, unit.legal_folds()[0]).parts()


def test_operands_weights_and_two_flags_are_fetched() -> None:
    unit = unit_of("mac")
    assert clock_registers(unit, Fold(2, 4, form=FOLDED, fetch=1)).ff == 4 * 4 + 2 * 2 * 4 + 2
    assert clock_registers(unit, Fold(2, 4, fetch=1)).ff == 4 * 4 + 2 * 2 * 4 + 2
    assert clock_registers(unit_of("pool"), Fold(4, form=FOLDED, fetch=2)).ff == 2 * (4 * 4 + 2)


@pytest.mark.skipif(find_spec("pyosys") is None, reason="pyosys is not installed")
@pytest.mark.parametrize("fold", [Fold(1, 2, form=FOLDED), Fold(2, 72)], ids=str)
def test_synthesis_counts_as_many(fold: Fold) -> None:
    """Searched, and compared."""
    unit = unit_of("mac")
    fast = fold._replace(fetch=int(not unit.is_unrolled(fold)), quick=1)
    measured = [synthesize(generate_unit(unit, f, family="ecp5"), "ecp5").total().ff for f in (fold, fast)]
    found = measured[1] - measured[0]
    assert clock_registers(unit, fast).ff == pytest.approx(found, rel=0.1, abs=2)
    assert np.sign(found) == 1

"""Modules alone: any operand goes in, and its integers and sums come out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq import hw
from crq.hw.ir.interpret import apply
from crq.hw.ir.layers import Mac
from crq.hw.project import RtlProject
from crq.hw.verify.proofs.rtl.alone import Alone
from tests.support.random_graphs import GraphBuilder
from tests.support.rtl_projects import needs_verilator


@needs_verilator
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_units_of_one_and_of_two_inputs(io_type: str, tmp_path: Path) -> None:
    g = GraphBuilder((3, 4, 4), "UINT4", seed=2)
    x = g.threshold(g.conv("x", 3, pads=(1, 1, 1, 1)), 2)
    y = g.threshold(g.add(x, g.threshold(g.conv("x", 3, (1, 1)), 3)), 3)
    graph = g.finish(g.matmul(g.flatten(y), 3))
    project = hw.build(graph, tmp_path / "p", target="rtl", io_type=io_type)
    assert isinstance(project, RtlProject)
    units = [unit for unit, _ in project.plan.units()]
    (tmp_path / "alone").mkdir()
    alone, rng = Alone(project, units, tmp_path / "alone"), np.random.default_rng(1)
    for unit in units:
        parts = [rng.integers(t.lo.min(), t.hi.max() + 1, (5, *t.shape)) for t in unit.sources]
        operands = parts if unit.layer.kind != "Dense" else [parts[0].transpose(0, 2, 3, 1).reshape(5, -1, 1, 1)]
        exact = apply(unit.layer, *operands)
        expected = exact if unit.threshold is None else apply(unit.threshold, exact)
        values, sums = alone.run(unit, np.concatenate(parts, axis=1))
        np.testing.assert_array_equal(values, expected, err_msg=unit.name)
        if io_type == "io_parallel" and isinstance(unit.layer, Mac) and unit.threshold:
            assert sums is not None
            np.testing.assert_array_equal(sums, exact)

"""Sixteen bits in, twelve between the layers: C simulation and RTL are the file in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crq import hw
from tests.support.qonnx_files import CONV, assert_equal_to_file, base, codes, conv, graph_of, node, quant, run
from tests.support.rtl_projects import needs_verilator


@needs_verilator
@pytest.mark.parametrize(("given", "between"), [(16, 12), (12, 9)])
def test_wide_codes(given: int, between: int, tmp_path: Path) -> None:
    nodes = [quant("x", "xq", "qi", "wide", 1), CONV, node("Mul", "c g", "n"), quant("n", "q", "q1", "some", 1),
             conv("q w2", "y", "conv2")]  # fmt: skip
    constants = base() | {
        "wide": np.float32(given), "some": np.float32(between), "qi_s": np.float32(2.0**-given),
        "q1_s": np.float32(2.0 ** (2 - between)),
        "w2": np.random.default_rng(1).integers(-1, 2, (3, 5, 3, 3)).astype(np.float32),
    }  # fmt: skip
    proto = graph_of(nodes, constants)
    graph = assert_equal_to_file(proto, tmp_path, count=10)
    project = hw.build(proto, tmp_path / "rtl", target="rtl")
    x = codes(graph, 6)
    np.testing.assert_array_equal(project.integers(x).reshape(len(x), -1), run(graph, x).reshape(len(x), -1))

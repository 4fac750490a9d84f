"""A file by hand in float32: what its ties change there is counted and explained."""

from __future__ import annotations

import numpy as np

from tests.support.qonnx_files import (
    CONV,
    base,
    graph_of,
    in_float32,
    node,
    quant,
)


def test_what_a_tie_changes_in_float32_is_counted_and_explained(tmp_path) -> None:
    """The inner Quant's scale is 0.1: sums of 5 are 0.5 in float32 and more in float64."""
    nodes = [quant("x", "xq", "qi"), CONV, node("Relu", "c", "r"), quant("r", "y", "q1")]
    ones = {"w": np.ones((5, 2, 3, 3), np.float32), "q1_s": np.float32(1), "qi_s": np.float32(0.1)}
    found = in_float32(graph_of(nodes, base() | ones), tmp_path)
    assert found.differing > 0
    assert found.explained == found.images_differing
    exact = in_float32(graph_of(nodes, base() | ones | {"qi_s": np.float32(0.125)}), tmp_path)
    assert exact.differing == 0

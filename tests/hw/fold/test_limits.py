"""Layers too large to be unrolled: refused with their names and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.errors import HwError
from crq.hw.fold.limits import check_limits
from crq.hw.ir.graph import Network
from tests.support.random_graphs import GraphBuilder


@pytest.mark.parametrize(("values", "allowed"), [(1 << 14, True), ((1 << 14) + 1, False)])
def test_a_tensor_of_registers_has_at_most_16384_values(values: int, allowed: bool) -> None:
    g = GraphBuilder((1, 1, values), "UINT4")
    network = Network(g.finish(g.bias("x")))
    if allowed:
        check_limits(network, "io_parallel")
        return
    with pytest.raises(HwError, match=r"layer 'bias1': 16385 output values; .* at most 16384. Use io_type='io_stream'"):
        check_limits(network, "io_parallel")


def sums(pixels: int) -> Network:
    """128 weights, of which 64 are not zero."""
    g = GraphBuilder((64, 1, pixels), "UINT1")
    weights = np.ones((2, 64, 1, 1), np.int64)
    weights[1] = 0
    return Network(g.finish(g.conv("x", 2, (1, 1), weights=weights)))


def test_additions_are_counted_without_zeros_at_every_pixel() -> None:
    check_limits(sums(2048), "io_parallel")  # 64 · 2048 = 131,072
    message = r"layer 'conv1': 64 non-zero weights at 2049 pixels are 131136 additions; .* unrolls at most 131072"
    with pytest.raises(HwError, match=message):
        check_limits(sums(2049), "io_parallel")


def test_streaming_projects_have_no_such_limit() -> None:
    check_limits(sums(4096), "io_stream")

"""Unrolled networks: which taps lie inside of the image, how many cycles a unit takes, and who waits for whom."""

from __future__ import annotations

import numpy as np
import pytest

from crq.hw.dataflow.units import Unit, units
from crq.hw.dataflow.unrolled import (
    adder_stages,
    arrivals,
    code_steps,
    codes,
    is_registered,
    masks,
    outside,
    pipeline,
    stages,
    taps,
    waits,
)
from crq.hw.ir.graph import Network
from crq.hw.ir.layers import Conv, MaxPool
from tests.support.random_graphs import GraphBuilder


def last(g: GraphBuilder, output: str) -> Unit:
    return units(Network(g.finish(output)))[-1]


@pytest.mark.parametrize("seed", range(6))
def test_taps_are_those_of_a_window_over_the_padded_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (rng.integers(1, 4, 2).tolist() for _ in range(3))
    pads = rng.integers(0, 3, 4).tolist()
    g = GraphBuilder((2, 7, 8), "UINT4", seed)
    layer = last(g, g.conv("x", 2, kernel, stride, pads, dilation)).layer
    assert isinstance(layer, Conv)
    pixels = np.pad(np.arange(56).reshape(7, 8), ((pads[0], pads[2]), (pads[1], pads[3])), constant_values=-1)
    found = taps(layer)
    for p, (y, x) in enumerate(np.ndindex(*layer.output.shape[1:])):
        rows = y * stride[0] + np.arange(kernel[0]) * dilation[0]
        columns = x * stride[1] + np.arange(kernel[1]) * dilation[1]
        assert found[p].tolist() == pixels[np.ix_(rows, columns)].ravel().tolist()


def test_windows_are_counted_by_their_taps_inside() -> None:
    g = GraphBuilder((2, 6, 6), "UINT4")
    layer = last(g, g.conv("x", 4, pads=(1, 1, 1, 1))).layer
    assert isinstance(layer, Conv)
    found = masks(layer)
    assert sum(found.values()) == 36
    assert found[(True,) * 9] == 16
    corner = (False, False, False, False, True, True, False, True, True)
    assert found[corner] == 1
    assert outside(corner, 2) == {0, 1, 2, 3, 4, 5, 6, 7, 12, 13}


def test_a_pool_has_windows_too() -> None:
    g = GraphBuilder((2, 3, 3), "UINT4")
    layer = last(g, g.max_pool("x", (2, 2), (2, 2), (1, 1, 0, 0))).layer
    assert isinstance(layer, MaxPool)
    assert sorted(sum(mask) for mask in masks(layer).elements()) == [1, 2, 2, 4]


def test_cycles_of_units() -> None:
    """Sums of 4 terms: two levels of adders, one stage; of 12: four levels, two stages."""
    g, ones = GraphBuilder((4, 3, 1), "UINT4"), np.ones((4, 4, 1, 1), np.int64)
    h = g.conv("x", 4, (1, 1), weights=ones)
    found = {
        "sums": (h, 1, False),
        "codes": (g.threshold(h, 4), 2, True),
        "searched codes": (g.threshold(h, 6), 8, True),
        "long sums": (g.matmul(g.flatten("x"), 3, weights=np.ones((12, 3), np.int64)), 2, False),
        "sum of pixels": (g.global_sum("x"), 1, False),
        "bias": (g.bias("x"), 1, True),
        "shift": (g.shift("x", 1), 0, False),
        "concat": (g.concat("x", "x"), 0, False),
    }
    for name, (output, cycles, registered) in found.items():
        unit = last(g, output)
        assert (stages(unit), is_registered(unit)) == (cycles, registered), name
        assert stages(unit) == adder_stages(unit) + code_steps(unit) + registered


def test_wide_codes_that_are_a_rounding_need_no_search() -> None:
    g = GraphBuilder((3, 2, 2), "UINT8")
    k = np.arange(1, 64)
    unit = last(g, g.threshold("x", 6, table=np.tile((k << 2) - 2 + (k & 1), (3, 1))))
    found = codes(unit)
    assert found is not None
    assert found[1] is not None
    assert (code_steps(unit), stages(unit)) == (0, 1)


def test_what_comes_early_waits() -> None:
    """Sums of 4 terms take a cycle, a bias too; the image waits for the sum of both."""
    g = GraphBuilder((4, 2, 2), "UINT4")
    h = g.conv("x", 4, (1, 1), weights=np.ones((4, 4, 1, 1), np.int64))
    total = g.add(g.bias(h), "x")
    network = Network(g.finish(g.add(total, g.shift("x", 1))))
    assert list(arrivals(network).values()) == [0, 1, 2, 3, 0, 4]
    assert waits(network) == {"x": [2], units(network)[3].output.name: [3]}
    assert (pipeline(network).interval, pipeline(network).latency) == (1, 4)


def test_wires_alone_are_registered_once() -> None:
    g = GraphBuilder((2, 1, 1), "UINT4")
    network = Network(g.finish(g.shift("x", 1)))
    assert waits(network) == {network.outputs[0].name: [1]}
    assert pipeline(network).latency == 1

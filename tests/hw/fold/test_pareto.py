"""The Pareto front of area and speed."""

from __future__ import annotations

import time

import pytest

from crq.hw.dataflow.timing import HLS
from crq.hw.devices import catalog as devices
from crq.hw.fold.candidates import fastest
from crq.hw.fold.fit import fill
from crq.hw.fold.pareto import pareto
from crq.hw.fold.search import FILL, choose
from crq.hw.ir.graph import Network
from tests.support import random_graphs


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(random_graphs.small_cnn())


def test_each_point_is_slower_and_smaller_than_the_one_before(network: Network) -> None:
    points = pareto(network)
    assert len(points) > 5
    assert points[0].interval == fastest(network)[0]
    for faster, slower in zip(points, points[1:], strict=False):
        assert slower.interval > faster.interval
        assert slower.total.lut < faster.total.lut


def test_without_a_target_the_choice_fits_the_device() -> None:
    network = Network(random_graphs.resnet(1, widths=(16, 32, 64)))
    device = devices.find("xc7z010")
    assert fill(network, choose(network, device=device), device) <= FILL


@pytest.mark.slow
def test_front_of_resnet20() -> None:
    started = time.monotonic()
    points = pareto(Network(random_graphs.resnet(3)))
    print(f"ResNet-20, {len(points)} points: {time.monotonic() - started:.1f} s (to take a minute at most)")
    assert len(points) > 10


def test_no_point_beats_another_also_where_beats_are_joined() -> None:
    """The cycles of a budget are not those of the whole network in the HLS form, and large graphs are priced anew."""
    g = random_graphs.GraphBuilder((600, 1, 1), "UINT2", seed=2)
    h = g.flatten("x")
    for width in (64, 64):
        h = g.threshold(g.matmul(h, width), 3)
    points = pareto(Network(g.finish(g.matmul(h, 1))), "xc7", HLS)
    assert len(points) > 5
    for point in points:
        rivals = [p for p in points if p is not point]
        assert not any(p.interval <= point.interval and p.total.lut <= point.total.lut for p in rivals)

"""The Pareto front of area and speed."""

from __future__ import annotations

import time

import pytest

from hw import devices
from hw.errors import HwError
from hw.estimate import estimate
from hw.fold import choose, fastest, fits
from hw.graph import Network
from hw.search import fastest_that_fits, pareto
from tests.hw import random_graphs


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


def test_fastest_that_fits_stays_under_the_fill(network: Network) -> None:
    device = devices.find("xc7z010")
    points = pareto(network)
    fill = 0.5 * (points[0].total.lut + points[-1].total.lut) / device.lut
    point = fastest_that_fits(network, device, fill)
    assert point.total.lut <= fill * device.lut
    quicker = [p for p in pareto(network, device.synthesis) if p.interval < point.interval]
    assert quicker
    assert not any(fits(network, p.folds, device, fill) for p in quicker)


def test_nothing_fits_names_the_part_and_the_smallest_area(network: Network) -> None:
    with pytest.raises(HwError, match=r"no folding fits 0% of xc7z010: the smallest takes \d+ LUTs of 17600"):
        fastest_that_fits(network, devices.find("xc7z010"), 0.001)


def test_without_a_target_the_choice_fits_the_device() -> None:
    network = Network(random_graphs.resnet(1, widths=(16, 32, 64)))
    device = devices.find("xc7z010")
    free = estimate(network, choose(network), "xc7").total
    bound = estimate(network, choose(network, device=device), "xc7").total
    assert bound.lut <= free.lut


@pytest.mark.slow
def test_front_of_resnet20_takes_a_minute_at_most() -> None:
    started = time.monotonic()
    points = pareto(Network(random_graphs.resnet(3)))
    seconds = time.monotonic() - started
    print(f"ResNet-20, {len(points)} points: {seconds:.1f} s")
    assert len(points) > 10
    assert seconds < 60

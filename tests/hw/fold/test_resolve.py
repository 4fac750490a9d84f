"""The folding that the options of a build ask for."""

from __future__ import annotations

import pytest

from crq.hw.dataflow.timing import HLS, RTL
from crq.hw.dataflow.units import Fold, units
from crq.hw.devices.catalog import find
from crq.hw.errors import HwError
from crq.hw.fold.candidates import Wish
from crq.hw.fold.resolve import resolve
from crq.hw.ir.graph import Network
from crq.options import BuildOptions
from tests.support.random_graphs import small_cnn

DEVICE = find("xc7z020")


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(small_cnn(0))


def test_a_given_folding_is_kept_and_the_rest_is_searched(network: Network) -> None:
    found = resolve(network, BuildOptions(folding={"conv1": (2, 3)}, target_fps=1000), DEVICE, RTL)
    assert found.folds["conv1"][:2] == (2, 3)
    assert set(found.folds) == {unit.name for unit in units(network)}
    assert "1,000 frames/s" in found.goal


def test_what_is_given_beside_takes_the_place_of_the_options(network: Network) -> None:
    options = BuildOptions(folding={"conv1": (2, 3)})
    found = resolve(network, options, DEVICE, HLS, {"conv1": Wish(1, 9)}, {"conv4": "bram"})
    assert found.folds["conv1"][:2] == (1, 9)
    assert found.folds["conv4"].rom == "bram"


def test_io_parallel_unrolls_everything_and_takes_no_wish(network: Network) -> None:
    found = resolve(network, BuildOptions(io_type="io_parallel"), DEVICE, RTL)
    assert all(found.folds[u.name][:2] == Fold(u.output.shape.c, u.fan_in)[:2] for u in units(network))
    assert set(found.why.values()) == {"unrolled"}
    with pytest.raises(HwError, match="io_parallel unrolls every layer"):
        resolve(network, BuildOptions(io_type="io_parallel", target_fps=10), DEVICE, RTL)

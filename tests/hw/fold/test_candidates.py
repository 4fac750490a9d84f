"""What may be chosen: legal foldings, narrowed by wishes, ROM styles and the widest beat."""

from __future__ import annotations

import pytest

from crq.hw.dataflow.beats import widest
from crq.hw.dataflow.schedule import cycles
from crq.hw.dataflow.units import FOLDED, PARALLEL, Fold, units
from crq.hw.errors import HwError
from crq.hw.fold.candidates import Limits, Wish, check, fastest, slowest
from crq.hw.ir.graph import Network
from tests.support import random_graphs


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(random_graphs.depthwise_net())


def test_a_wish_without_a_form_leaves_both(network: Network) -> None:
    unit = units(network)[0]
    found = Limits({unit.name: Wish(1, 1)}).candidates(unit)
    assert [f.form for f in found] == [PARALLEL, FOLDED]
    assert {f[:2] for f in found} == {(1, 1)}
    assert [f.form for f in Limits({unit.name: Wish(1, 1, FOLDED)}).candidates(unit)] == [FOLDED]


def test_no_candidate_has_a_wider_beat(network: Network) -> None:
    limits = Limits(max_beat=24)
    assert any(widest(u, f) > 24 for u in units(network) for f in u.legal_folds())
    for unit in units(network):
        found = limits.candidates(unit)
        assert found == [f for f in unit.legal_folds() if widest(unit, f) <= 24]


def test_grouped_lanes_divide_groups(network: Network) -> None:
    grouped = next(u for u in units(network) if u.name == "conv5")
    assert {f.pe for f in grouped.legal_folds()} == {1, 2, 4}


def test_fastest_and_slowest_bound_every_candidate(network: Network) -> None:
    intervals = [[cycles(u, f).interval for f in u.legal_folds()] for u in units(network)]
    assert fastest(network)[0] == max(map(min, intervals))
    assert slowest(network) == max(map(max, intervals))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ({"conv99": Fold(1, 1)}, "folding of 'conv99': no such unit; did you mean"),
        ({"conv1": Fold(5, 1)}, r"folding of 'conv1': \(5, 1\) is impossible in the parallel form; PE is one of"),
        ({"conv1": Fold(1, 1, "rom")}, "weight ROM of 'conv1': style 'rom'; expected one of auto, lut, bram"),
        ({"conv1": Fold(1, 1, "auto", "twisted")}, "form 'twisted'; expected parallel or folded"),
    ],
)
def test_what_cannot_be_is_refused_by_name(network: Network, folds: dict, message: str) -> None:
    with pytest.raises(HwError, match=message):
        check(network, folds)

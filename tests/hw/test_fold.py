"""Folding: targets are met with the least area, impossible wishes are refused by name."""

from __future__ import annotations

import pytest

from hw import devices, fold
from hw.errors import HwError
from hw.estimate import area
from hw.estimate.cycles import cycles, pipeline
from hw.graph import Network
from hw.units import Fold, units
from tests.hw import random_graphs


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(random_graphs.residual_net())


@pytest.mark.parametrize("fps", [1_000, 20_000, 100_000])
def test_target_is_met_by_every_unit(network: Network, fps: int) -> None:
    folds = fold.choose(network, target_fps=fps)
    assert pipeline(network, folds).interval * 5e-9 <= 1 / fps


def test_no_cheaper_folding_of_a_unit_meets_the_budget(network: Network) -> None:
    budget = 2_000
    folds = fold.choose(network, target_fps=1e9 / 5 / budget)
    for unit in units(network):
        rivals = [f for f in fold.legal(unit) if cycles(network, unit, f).interval <= budget]
        assert area(network, unit, folds[unit.name]) == min(area(network, unit, f) for f in rivals)


def test_default_runs_as_fast_as_it_can_if_the_default_rate_is_out_of_reach(network: Network) -> None:
    folds = fold.choose(network, clock_period_ns=50_000)
    assert pipeline(network, folds).interval == fold.fastest(network)[0]


def test_unreachable_target_names_the_unit_and_the_best_rate(network: Network) -> None:
    floor, slowest = fold.fastest(network)
    with pytest.raises(HwError, match=rf"{slowest}.*{floor} cycles.*at most {1e9 / 5 / floor:.0f} frames/s"):
        fold.choose(network, target_fps=1e8)


def test_overrides_win_and_are_checked(network: Network) -> None:
    first = units(network)[0]
    widest = fold.legal(first)[-1]
    assert fold.choose(network, overrides={first.name: widest})[first.name] == widest
    with pytest.raises(HwError, match=r"(?s)conv9.*did you mean conv"):
        fold.choose(network, overrides={"conv9": Fold(1)})
    with pytest.raises(HwError, match=r"\(3, 1\) is impossible; PE is one of \[1, 2, 4\]"):
        fold.choose(network, overrides={first.name: Fold(3, 1)})


def test_grouped_lanes_divide_groups() -> None:
    network = Network(random_graphs.depthwise_net())
    grouped = next(u for u in units(network) if u.name == "conv5")
    assert {f.pe for f in fold.legal(grouped)} == {1, 2, 4}


@pytest.mark.parametrize("name", ["xc7z020clg400-1", "PYNQ-Z2", "pynq_z2", "XC7Z020"])
def test_parts_and_boards_are_found(name: str) -> None:
    assert devices.find(name).die == "xc7z020"


def test_every_board_has_a_known_part_and_every_die_a_source() -> None:
    assert len(devices.dies()) >= 12
    for board in devices.boards():
        found = devices.find(board.name)
        assert found.part == board.part
        assert len(found.source) > 10
        assert found.lut > 0
        assert found.ff > 0


def test_unknown_part_lists_near_ones() -> None:
    with pytest.raises(HwError, match=r"xc7z021clg400-1.*xc7z020clg400-1"):
        devices.find("xc7z021clg400-1")

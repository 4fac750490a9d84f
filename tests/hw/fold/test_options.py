"""Options of a build as the folding search takes them."""

from __future__ import annotations

import pytest

from crq.hw.fold.candidates import Wish
from crq.hw.fold.options import clock_of, target_of, wishes_of
from crq.hw.fold.search import Target, choose, decide
from crq.hw.ir.graph import Network
from crq.options import BuildOptions
from tests.support.random_graphs import small_cnn


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({}, Target(None, None, False)),
        ({"target_fps": 30.0}, Target(fps=30.0)),
        ({"target_latency": 8.0, "target_fps": 30.0}, Target(fps=30.0, latency_us=8.0)),
        ({"best_fit": True}, Target(best_fit=True)),
    ],
)
def test_each_target_goes_where_it_belongs(options: dict, target: Target) -> None:
    found = target_of(BuildOptions(**options))
    assert found == target
    assert bool(found) == bool(options)


def test_foldings_are_pe_then_simd_and_the_search_keeps_them() -> None:
    options = BuildOptions(folding={"conv1": (2, 9), "fc6": (5, 1)}, target_fps=1000.0)
    assert wishes_of(options) == {"conv1": Wish(2, 9, None), "fc6": Wish(5, 1, None)}
    formed = wishes_of(BuildOptions(folding={"conv1": (2, 1, "folded"), "fc6": (5, 1, "parallel")}))
    assert formed == {"conv1": Wish(2, 1, "folded"), "fc6": Wish(5, 1, "parallel")}
    network = Network(small_cnn())
    given = wishes_of(BuildOptions(folding={"conv1": (2, 9, "parallel")}))
    found = decide(network, target_of(options), overrides=given).folds
    assert found["conv1"][:2] == (2, 9)
    assert found["conv1"].form == "parallel"
    free = choose(network, target_fps=1000.0)
    assert {n: f for n, f in found.items() if n != "conv1"} == {n: f for n, f in free.items() if n != "conv1"}


@pytest.mark.parametrize(
    ("part", "period"),
    [("pynq-z2", 5.0), ("kv260", 5.0), ("ulx3s-25f", 8.0), ("LFE5U-85F", 8.0), ("ice40-hx8k", 25.0),
     ("icebreaker", 40.0), ("tang-nano-9k", 20.0)],
)  # fmt: skip
def test_a_clock_that_nobody_names_is_one_that_the_part_reaches(part: str, period: float) -> None:
    assert clock_of(BuildOptions(part=part)) == period
    assert clock_of(BuildOptions(part=part, clock_period=2)) == 2.0

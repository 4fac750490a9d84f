"""A built project is as good as its last simulation of labelled data said."""

from __future__ import annotations

from crq.hw.report.quality import quality, simulated

ENTRY = {"images": 10, "integers": 20, "differing": 0, "equal": True, "stale": None}


def test_the_frozen_value_comes_first() -> None:
    assert quality({"accuracy": {"float": 0.9, "frozen": 0.8, "simulated": 0.7}}) == ("accuracy", 0.8)
    assert quality({"metric": "mse", "mse": {"simulated": 0.7}}) == ("mse", 0.7)
    assert quality({"accuracy": {"float": 0.9}}) == quality({}) == ("accuracy", None)


def test_what_is_told_is_of_the_most_samples_and_of_the_project_as_it_is() -> None:
    few, many = ({**ENTRY, "images": n, "figures": {"mse": n / 100, "r2": 1.0}} for n in (5, 50))
    assert simulated({"a": few, "b": many, "c": ENTRY}) == {"metric": "mse", "mse": {"simulated": 0.5}}
    for wrong in ({"stale": "the project changed since"}, {"equal": False}, {"figures": None}):
        assert simulated({"a": {**many, **wrong}}) == {}
    assert simulated({}) == {}


def test_a_run_of_several_simulations_has_the_figures_of_its_parts() -> None:
    parts = [{"images": 9, "figures": {"accuracy": 0.9}}, {"images": 1000, "figures": None}]
    assert simulated({"run": {**ENTRY, "verdicts": parts}})["accuracy"] == {"simulated": 0.9}
    assert simulated({"run": {**ENTRY, "equal": False, "verdicts": parts}}) == {}

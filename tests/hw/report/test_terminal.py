"""The report in the terminal: every unit and resource with its figures, and what sets the rate."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from rich.console import Console

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.answers import answers
from crq.hw.report.model import build_report
from crq.hw.report.terminal import band_text, between, render
from tests.support import random_graphs

NETWORK = Network(random_graphs.global_pool_net())
FACTS = build_report(NETWORK, choose(NETWORK), "PYNQ-Z2", 5.0, project_info={"name": "my net"}).to_dict()


def facts(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(FACTS), **changes}


def lines(report: dict[str, Any]) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=200)
    render(report, console)
    return [line.split() for line in console.file.getvalue().splitlines() if line.strip()]


def words(report: dict[str, Any]) -> str:
    return " ".join(" ".join(line) for line in lines(report))


def row(report: dict[str, Any], name: str) -> list[str]:
    return next(line for line in lines(report) if line[0] == name)


def test_the_first_line_names_network_part_board_and_clock() -> None:
    assert " ".join(lines(FACTS)[0]) == f"my net on {FACTS['device']['part']} (PYNQ-Z2), clock 5 ns"
    bare = facts(project={})
    bare["device"]["board"] = None
    assert " ".join(lines(bare)[0]) == f"network on {FACTS['device']['part']}, clock 5 ns"


def test_every_unit_has_a_row_of_its_figures() -> None:
    for unit in FACTS["units"]:
        expected = [
            unit["name"], unit["kind"], *([unit["form"]] if unit["form"] else []),
            f"{unit['pe']}×{unit['simd']}", f"{unit['interval_cycles']:,}",
            f"{unit['lut']:,.0f}", f"{unit['lut_memory']:,.0f}", f"{unit['ff']:,.0f}", f"{unit['bram36']:g}",
            f"{unit['dsp']}",
        ]  # fmt: skip
        if "weights" in unit:
            histogram = unit["weights"]["histogram"]
            expected.append(f"{histogram.get(0, 0) / sum(histogram.values()):.0%}")
        assert row(FACTS, unit["name"]) == expected


def test_resources_stand_beside_what_the_part_has() -> None:
    for name, used in FACTS["utilization"].items():
        share = [f"{used['used'] / used['available']:.1%}"] if used["available"] else []
        assert row(FACTS, name) == [name, f"{used['used']:,g}", f"{used['available']:,}", *share]


def test_what_does_not_fit_is_said_of_that_resource_only() -> None:
    full = facts()
    full["utilization"]["FF"] |= {"used": 213_000, "share": 213_000 / 106_400}
    assert " ".join(row(full, "FF")) == "FF 213,000 106,400 200.2% does not fit"
    assert words(full).count("does not fit") == 1
    assert "does not fit" not in words(FACTS)


def test_what_a_part_does_not_have_needs_no_words() -> None:
    assert row(FACTS, "URAM")[1:] == ["0", "0"]


def test_the_answers_come_first() -> None:
    expected = [(answer.question, answer.text) for answer in answers(FACTS)]
    found = lines(FACTS)[1 : 1 + len(expected)]
    assert [(line[0], " ".join(line[1:])) for line in found] == expected


def test_names_are_no_markup() -> None:
    named = facts(project={"name": "[/x] v[bold]"})
    named["units"][0]["name"] = "[red]conv"
    assert words(named).startswith("[/x] v[bold] on")
    assert "[red]conv" in words(named)


def test_in_80_characters_every_unit_has_its_own_name() -> None:
    long = facts()
    for place, unit in enumerate(long["units"]):
        unit["name"] = f"features.stage.block.of.convolutions.{place}.conv"
    console = Console(file=io.StringIO(), width=80)
    render(long, console)
    starts = [line.split()[0] for line in console.file.getvalue().splitlines() if line.startswith("…")]
    assert len(set(starts)) == len(starts) == len(long["units"])
    assert max(map(len, console.file.getvalue().splitlines())) <= 80


@pytest.mark.parametrize(
    ("span", "expected"),
    [([99.94, 100], "99.9 to 100"), ([0, 2.5], "0 to 2.5"), ([1234.4, 98765.4], "1,234 to 98,765")],
)
def test_spans_are_written_as_precisely_as_they_are_known(span: list[float], expected: str) -> None:
    assert between(span) == expected


def test_the_band_of_every_resource_and_its_basis() -> None:
    band = {"lut": [500, 2000], "ff": [1, 4], "bram36": [0.5, 2], "dsp": [0, 0], "basis": "a guess"}
    text = "LUT 500 to 2,000, FF 1 to 4, BRAM36 0.5 to 2 (a guess)"
    assert band_text({"band": band}) == text
    assert f"band: {text}" in words(facts(summary={**FACTS["summary"], "band": band}))
    assert "band:" not in words(facts(summary={**FACTS["summary"], "band": None}))


def test_layers_with_multipliers_are_named() -> None:
    assert "multiplier-free: all but conv1, fc7" in words(FACTS)
    free = facts(multiplier_free={"every_layer": True, "integer_layers": [], "rule": ""})
    assert "multiplier-free: every layer" in words(free)


def test_it_ends_with_how_far_it_can_be_trusted() -> None:
    assert words(FACTS).endswith(f"Estimate for {FACTS['device']['family']}; {FACTS['trust']}.")


def test_tables_of_measurements_are_there_if_something_was_measured() -> None:
    resources = {"lut": 10, "ff": 5, "bram36": 0, "dsp": 0}
    pair = {"measured": resources, "estimated": {**resources, "lut": 12}}
    synthesis = {
        "tool": "Yosys", "family": "xc7", "created": "today", "units_of_network": 2, "other_folding": [],
        "units": [{"name": "conv1", "pe": 1, "simd": 1, **pair}], "total": pair,
    }  # fmt: skip
    vendor = [{"tool": "Vitis HLS synthesis", "lut": 4321.0, "ff": None, "bram36": 1.5, "dsp": 0.0,
               "latency_cycles": 5678.0, "interval_cycles": 910.0}]  # fmt: skip
    measured = words(facts(synthesis=synthesis, project={"vendor": vendor}))
    assert "conv1 1×1 10 12 +20.0%" in measured
    assert "Vitis HLS synthesis 4,321 1.5 0 5,678 910" in measured
    assert "Yosys" not in words(FACTS).split("Estimate for")[0]
    assert "Vitis HLS synthesis" not in words(FACTS)

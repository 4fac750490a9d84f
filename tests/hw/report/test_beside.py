"""Estimate beside measurement: of the same family and folding, with the error as a reader would compute it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from crq.hw.cost.network import estimate
from crq.hw.cost.resources import Resources
from crq.hw.dataflow.units import Fold, units
from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.beside import beside, error, headline, render
from crq.hw.report.html import render_html
from crq.hw.report.model import build_report
from crq.hw.rtl.measure import Measured, Measurements
from tests.support import random_graphs

NETWORK = Network(random_graphs.small_cnn())
FOLDS = choose(NETWORK)


def measured(family: str, *names: str, lut: int = 100) -> Measurements:
    chosen = names or tuple(unit.name for unit in units(NETWORK))
    rows = {name: Measured(FOLDS[name], Resources(lut, 20, 10, 1), 1.5) for name in chosen}
    return Measurements("Yosys 0", family, "2026-01-01", rows)


def test_the_estimate_is_of_the_measured_family_whatever_the_device() -> None:
    for family in ("xc7", "xcup"):
        facts = beside(NETWORK, FOLDS, measured(family))
        own = estimate(NETWORK, FOLDS, family)
        assert facts["total"]["estimated"]["lut"] == own.total.lut
        assert {r["name"]: r["estimated"]["ff"] for r in facts["units"]} == {u.name: u.total.ff for u in own.units}
        assert facts["family"] == family


def test_units_add_up_to_the_total_of_what_was_measured() -> None:
    facts = beside(NETWORK, FOLDS, measured("xc7", "pool3", "bias8"))
    assert [row["name"] for row in facts["units"]] == ["pool3", "bias8"]
    assert facts["total"]["measured"] == {
        "lut": 240, "lut_logic": 200, "lut_memory": 40, "ff": 20, "bram36": 1.0, "bram18": 2, "uram": 0, "dsp": 0,
    }  # fmt: skip
    assert facts["total"]["estimated"]["lut"] == sum(row["estimated"]["lut"] for row in facts["units"])
    assert (facts["units_of_network"], facts["other_folding"]) == (len(units(NETWORK)), [])
    assert facts["units"][0]["seconds"] == 1.5


def test_units_measured_under_another_folding_are_named_and_left_out() -> None:
    facts = beside(NETWORK, {**FOLDS, "conv1": Fold(4, 9)}, measured("xcup"))
    assert facts["other_folding"] == ["conv1"]
    assert "conv1" not in [row["name"] for row in facts["units"]]
    assert headline(facts).endswith("; measured under another folding, so not compared: conv1")
    wider = build_report(NETWORK, {**FOLDS, "conv1": Fold(4, 9)}, "KV260", 5.0, measurements=measured("xcup"))
    assert wider.to_dict()["synthesis"]["other_folding"] == ["conv1"]
    assert "measured under another folding, so not compared: conv1" in render_html(wider.to_dict())


@pytest.mark.parametrize(
    ("estimated", "found", "expected"),
    [(110, 100, "+10.0%"), (75, 100, "-25.0%"), (100, 100, "+0.0%"), (0, 0, ""), (3, 0, "only estimated")],
)
def test_the_error_is_of_the_measurement(estimated: float, found: float, expected: str) -> None:
    assert error({"estimated": {"lut": estimated}, "measured": {"lut": found}}, "lut") == expected


def test_the_headline_says_what_was_measured() -> None:
    facts = beside(NETWORK, FOLDS, measured("xc7", "pool3", lut=4000))
    total = facts["total"]
    off = (total["estimated"]["lut"] - 4020) / 4020
    text = headline(facts)
    assert text.startswith(f"Yosys 0 for xc7, 1 of {len(units(NETWORK))} units, the RTL form of each unit")
    assert text.endswith(f"4,020 LUT measured, {total['estimated']['lut']:,.0f} estimated ({off:+.1%})")


def test_nothing_measured_has_no_error() -> None:
    text = headline(beside(NETWORK, {**FOLDS, "pool3": Fold(4)}, measured("xc7", "pool3")))
    assert "0 of" in text
    assert "%" not in text


def test_the_table_has_a_row_for_each_unit_and_the_total() -> None:
    facts = beside(NETWORK, FOLDS, measured("xc7", "pool3", "bias8"))
    console = Console(file=io.StringIO(), width=180)
    render(facts, console)
    lines = console.file.getvalue().splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    fold, row = FOLDS["pool3"], facts["units"][0]
    assert rows["pool3"][:4] == [f"{fold.pe}×{fold.simd}", "120", f"{row['estimated']['lut']:,.0f}", error(row, "lut")]
    assert rows["total"][0] == "240"
    assert headline(facts) in " ".join(" ".join(lines).split())

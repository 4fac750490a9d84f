"""Reports side by side: every figure stands under the name of its project."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.compare import render_comparison
from crq.hw.report.model import Report, build_report
from tests.support import random_graphs


@pytest.fixture(scope="module")
def report() -> Report:
    network = Network(random_graphs.global_pool_net())
    return build_report(network, choose(network), "PYNQ-Z2", 5.0)


def shown(reports: dict[str, Any]) -> tuple[dict[str, list[str]], str]:
    """The cells by the label of their row, and all text."""
    console = Console(file=io.StringIO(), width=200)
    render_comparison(reports, console)
    text = console.file.getvalue()
    rows = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if row}, text


def test_every_figure_is_in_the_column_of_its_project(report: Report) -> None:
    faster = build_report(report.network, choose(report.network, target_fps=100_000), "KV260", 4.0)
    both = {"slow": report.to_dict(), "quick": faster.to_dict()}
    rows, _ = shown(both)
    assert rows["part"] == [r["device"]["part"] for r in both.values()]
    assert rows["clock, ns"] == ["5, assumed", "4, assumed"]
    summaries = [r["summary"] for r in both.values()]
    assert summaries[0]["lut"] != summaries[1]["lut"]
    assert rows["LUT"] == [f"{s['lut']:,.0f}" for s in summaries]
    assert rows["frames/s"] == [f"{s['frames_per_second']:,.0f}" for s in summaries]
    assert rows["cycles per image"] == [f"{s['interval_cycles']:,}" for s in summaries]
    assert rows["DSP"] == ["0", "0"]
    shares = [{name: found["share"] or 0 for name, found in r["utilization"].items()} for r in both.values()]
    assert rows["fullest"] == [f"{max(s, key=s.get)} {max(s.values()):.1%}" for s in shares]


def test_rows_that_no_project_has_are_left_out(report: Report) -> None:
    facts = report.to_dict()
    rows, _ = shown({"a": facts, "b": facts})
    assert not {"accuracy", "bit-exact"} & rows.keys()


def test_what_one_project_knows_has_a_row(report: Report) -> None:
    facts = report.to_dict()
    trained = {**facts, "project": {"accuracy": {"float": 0.99, "frozen": 0.975}, "verdict": {"differing": 0}}}
    broken = {**facts, "project": {"verdict": {"differing": 1234}}}
    built = {**facts, "project": {"metric": "mse", "mse": {"simulated": 0.25}}}
    assert shown({"a": built, "b": facts})[0]["quality"] == ["mse 0.25"]
    rows, _ = shown({"a": trained, "b": broken, "c": facts})
    assert rows["accuracy"] == ["97.50%"]
    assert rows["bit-exact"] == ["yes", "NO, 1,234 differ"]


def test_an_unrolled_design_has_no_bottleneck(report: Report) -> None:
    facts = report.to_dict()
    unrolled = {**facts, "summary": {**facts["summary"], "bottleneck": ""}}
    assert shown({"a": facts, "b": unrolled})[0]["bound by"] == [facts["summary"]["bottleneck"], "nothing: unrolled"]


def test_luts_of_another_kind_have_a_share_of_their_own(report: Report) -> None:
    other = build_report(report.network, report.folds, "LFE5U-25F", 5.0).to_dict()
    assert (
        shown({"a": report.to_dict(), "b": other})[0]["fullest"][1] == f"LUT {other['utilization']['LUT']['share']:.1%}"
    )


def test_each_caution_is_said_once_with_the_projects_that_it_is_of(report: Report) -> None:
    facts = report.to_dict()
    other = {**facts, "trust": "another sentence"}
    _, text = shown({"a": facts, "b": facts, "c": other})
    words = " ".join(text.split())
    assert words.count("estimated; ") == 2
    assert "a, b: estimated; " in words
    assert words.endswith("c: estimated; another sentence.")
    assert "Estimated; another sentence." in shown({"c": other})[1]


def test_a_yes_says_what_was_compared_and_nothing_is_no_blank(report: Report) -> None:
    facts, found = report.to_dict(), {"images": 105, "integers": 105, "differing": 0, "against": "the integer graph"}
    rows, _ = shown({
        "a": {**facts, "project": {"ports": {}, "verdict": found}}, "b": {**facts, "project": {"ports": {}}},
        "c": {**facts, "project": {"ports": {}, "verdict": found, "changed": ["rtl/a.mem"]}},
    })  # fmt: skip
    assert rows["bit-exact"] == ["yes, 105 inputs vs the integer graph", "not simulated", "UNKNOWN: files changed"]

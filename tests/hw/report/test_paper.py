"""The row of a paper's table, against the figures of the report."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report.model import build_report
from crq.hw.report.paper import activation_bits, row, to_csv, to_latex
from tests.support import random_graphs

NETWORK = Network(random_graphs.global_pool_net())
FACTS = build_report(NETWORK, choose(NETWORK), "PYNQ-Z2", 5.0, project_info={"name": "my_net"}).to_dict()
VERDICT = {"images": 1, "integers": 10, "differing": 0, "against": "x", "equal": True}
TRAINED = {
    **FACTS,
    "project": {
        "name": "50% & more", "accuracy": {"float": 0.99, "frozen": 0.975},
        "verdict": VERDICT,
    },
}  # fmt: skip


def test_figures_are_those_of_the_report() -> None:
    (found,) = csv.DictReader(io.StringIO(to_csv({"a": FACTS})))
    summary = FACTS["summary"]
    assert found["network"] == "my_net"
    assert float(found["LUT"]) == round(summary["lut"])
    assert float(found["latency us"]) == pytest.approx(summary["latency_us"], rel=1e-3)
    assert (found["metric"], found["value"], found["bit-exact"]) == ("", "", "")
    assert (found["energy"], found["basis"]) == ("not estimated", "estimated")
    weights = [layer for layer in NETWORK if hasattr(layer, "weights")]
    bits = sum(w.weights.size * (2 if w.weight_type == "TERNARY" else int(w.weight_type[3:])) for w in weights)
    assert int(found["weight bytes"]) == -(-bits // 8)
    assert float(found["weight bits"]) == pytest.approx(bits / sum(w.weights.size for w in weights), abs=0.005)


def test_accuracy_and_verdict_where_there_are_such() -> None:
    assert {k: row(TRAINED)[k] for k in ("metric", "value", "bit-exact")} == {
        "metric": "accuracy", "value": "0.9750", "bit-exact": "yes, 1 sample against x",
    }  # fmt: skip
    differs = {**VERDICT, "differing": 1, "equal": False}
    broken: dict[str, Any] = {**TRAINED, "project": {**TRAINED["project"], "verdict": differs}}
    assert row(broken)["bit-exact"] == "no"


def test_bits_of_activations_are_a_number_or_a_span() -> None:
    units = [{"thresholds": "t", "output_type": kind} for kind in ("UINT4", "INT8", "UINT4")]
    assert activation_bits({"units": units}) == "4-8"
    assert activation_bits({"units": units[:1]}) == "4"
    assert activation_bits({"units": [{"thresholds": None, "output_type": "INT20"}]}) == ""


def test_rows_say_where_they_are_from_and_are_no_formulas() -> None:
    named = {**FACTS, "project": {"name": "=1+1"}}
    rows = list(csv.DictReader(io.StringIO(to_csv({"a/net": named, "b/net": named}))))
    assert [(row["project"], row["network"]) for row in rows] == [("a/net", "'=1+1"), ("b/net", "'=1+1")]


def test_latex_leaves_empty_columns_out_and_escapes() -> None:
    text = to_latex({"a": TRAINED})
    assert r"50\% \& more" in text
    assert text.count(r"\\") == 2
    head, body = (line for line in text.splitlines() if line.endswith(r"\\"))
    assert head.replace(r"\&", "").count("&") == body.replace(r"\&", "").count("&")
    assert "metric" not in to_latex({"a": FACTS})

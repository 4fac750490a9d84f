"""The page: complete, self-contained, and whatever a network or a part is called, text stays text."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from crq.hw.fold.search import choose
from crq.hw.ir.graph import Network
from crq.hw.report import adders, html
from crq.hw.report.answers import answers
from crq.hw.report.html import render_comparison_html, render_html
from crq.hw.report.model import Report, build_report
from tests.hw.report.page import Page
from tests.support import random_graphs

INFO: dict[str, Any] = {
    "name": "net <1>", "accuracy": {"float": 0.98, "frozen": 0.975}, "versions": {"crq": "0"}, "commands": ["crq run"],
    "verdict": {"images": 360, "integers": 3600, "differing": 0, "against": "PyTorch"},
    "folding": {"goal": "the smallest", "why": {"conv1": "the slowest"}},
    "vendor": [{"tool": "Vitis HLS synthesis", "lut": 1234.0, "ff": None, "bram36": 1.5, "dsp": 0.0,
                "latency_cycles": 5678.0, "interval_cycles": 910.0}],
}  # fmt: skip


@cache
def report(part: str = "PYNQ-Z2", io_type: str = "io_stream", backend: str = "hls") -> Report:
    network = Network(random_graphs.global_pool_net())
    info = {**INFO, "io_type": io_type, "backend": backend}
    return build_report(network, choose(network), part, 5.0, project_info=info)


def content(part: str = "PYNQ-Z2", io_type: str = "io_stream", backend: str = "hls") -> dict[str, Any]:
    """A report with every section of the page."""
    facts = report(part, io_type, backend).to_dict()
    figures = {key: facts["summary"][key] for key in ("lut", "ff", "bram36", "dsp")}
    row = {"measured": figures, "estimated": {**figures, "lut": figures["lut"] * 1.5}}
    facts["synthesis"] = {
        "tool": "Yosys", "family": "xc7", "created": "today", "units_of_network": 2, "other_folding": ["act2"],
        "units": [{"name": "conv1", "pe": 1, "simd": 1, **row}], "total": row,
    }  # fmt: skip
    return copy.deepcopy(facts)


def test_page_is_well_formed_and_self_contained(tmp_path: Path) -> None:
    file = report().to_html(tmp_path / "deep" / "report.html")
    text = file.read_text()
    page = Page(text)
    assert page.unclosed == []
    assert page.addresses == ["data:,"]
    assert "<script" not in text
    assert not re.search(r"url\((?!#)|@import|https?://", text)
    assert len(text) < 2_000_000
    assert "net &lt;1&gt;" in text
    assert "Bit-exact: all 3,600 integers on 360 images are equal, against PyTorch" in page.words
    assert [f.name for f in file.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("form", [("io_stream", "hls"), ("io_stream", "rtl"), ("io_parallel", "hls")])
def test_every_figure_of_every_unit_is_on_the_page(form: tuple[str, str]) -> None:
    facts = content("PYNQ-Z2", *form)
    page = Page(render_html(facts))
    for unit in facts["units"]:
        kind = (
            unit["kind"] + ("+thresholds" if unit["thresholds"] else "") + (f" {unit['form']}" if unit["form"] else "")
        )
        shapes = ["×".join(str(n) for n in unit[key]) for key in ("input_shape", "output_shape")]
        types = f"{unit['input_type']} → {unit['output_type']}"
        fold = f"{unit['pe']}×{unit['simd']}"
        cycles = f"{unit['interval_cycles']:,}"
        area = [f"{unit['lut']:,.0f}", f"{unit['ff']:,.0f}", f"{unit['bram36']:g}", f"{unit['dsp']}"]
        assert [unit["name"], kind, *shapes, types, fold, cycles, *area] in page.rows
        for name, part in unit["parts"].items():
            figures = [f"{part[key]:,.0f}" for key in ("lut_logic", "lut_memory", "ff")]
            assert [unit["name"], name, *figures, f"{part['bram36']:g}"] in page.rows
        assert f"{unit['first_output_cycle']:,} to {unit['last_output_cycle']:,}" in page.text
    summary = facts["summary"]
    area = [f"{summary['lut']:,.0f}", f"{summary['ff']:,.0f}", f"{summary['bram36']:g}", f"{summary['dsp']}"]
    assert ["total", "", "", "", "", "", f"{summary['interval_cycles']:,}", *area] in page.rows
    assert f"{summary['frames_per_second']:,.0f} frames/s" in page.words
    assert f"{adders.duration(summary['latency_us'])} latency" in page.words
    for name, row in facts["utilization"].items():
        assert not row["available"] or f"{row['used']:,g} of {row['available']:,} ({row['share']:.1%}" in page.text, (
            name
        )


def test_what_a_project_knows_besides_is_on_the_page() -> None:
    page = Page(render_html(content()))
    assert "Accuracy along the chain float 98.00% frozen 97.50%" in page.words
    assert "Folded for the smallest: why each unit is folded as it is unit why conv1 the slowest" in page.words
    assert "Commands crq run Versions crq 0" in page.words
    assert ["Vitis HLS synthesis", "1,234", "", "1.5", "0", "5,678", "910"] in page.rows
    assert [row[3] for row in page.rows if row[0] == "conv1" and len(row) == 10] == ["+50.0%"]
    assert "measured under another folding, so not compared: act2" in page.words


def test_a_project_that_knows_nothing_has_no_empty_sections() -> None:
    facts = content()
    everything = Page(render_html(facts)).words
    facts["project"], facts["synthesis"], facts["calibration"] = {}, None, None
    page = Page(render_html(facts))
    assert page.text.lstrip().startswith("network: FPGA report")
    for heading in (
        "Bit-exact", "Accuracy along the chain", "Folded for", "Estimate beside synthesis",
        "Estimate beside other tools", "Blind test", "Commands", "Versions",
    ):  # fmt: skip
        assert heading in everything
        assert heading not in page.words


def test_a_difference_is_never_called_exact() -> None:
    facts = content()
    good = Page(render_html(facts)).classes("td").count("good")
    facts["project"]["verdict"]["differing"] = 1
    page = Page(render_html(facts))
    assert "NOT bit-exact: 1 of 3,600" in page.words
    assert (page.classes("td").count("good"), page.classes("td").count("bad")) == (good - 1, 1)


def test_only_the_rtl_form_is_green() -> None:
    reports = {backend: content(backend=backend) for backend in ("hls", "rtl")}
    for found in reports.values():
        del found["project"]["vendor"]  # its areas are not those of this network
    pages = {backend: Page(render_html(found)) for backend, found in reports.items()}
    assert pages["rtl"].classes("td").count("good") == pages["hls"].classes("td").count("good") + 1


def test_answers_and_the_basis_of_the_figures_are_on_the_page() -> None:
    facts = content()
    words = Page(render_html(facts)).words
    for answer in answers(facts):
        assert f"{answer.question} {answer.text}" in words
    assert f"{facts['trust']}." in words


def test_several_reports_side_by_side() -> None:
    first, second = content(), content(backend="rtl")
    page = Page(render_comparison_html({"one": first, "two": second}))
    assert page.unclosed == []
    assert page.rows[0] == ["", "one", "two"]
    assert ["LUT", *(f"{report['summary']['lut']:,.0f}" for report in (first, second))] in page.rows
    assert {f"one: estimated; {first['trust']}.", f"two: estimated; {second['trust']}."} <= {*page.texts}


def test_a_bar_ends_where_its_track_ends() -> None:
    facts = content("xc7z010")
    facts["utilization"]["LUT"]["share"] = 17.5
    page = Page(render_html(facts))
    assert "(1750.0%, does not fit)" in page.words
    assert {"class": "over", "style": "width:100.00%"} in [
        attributes for tag, attributes in page.elements if tag == "i"
    ]


def test_a_report_saved_before_a_key_was_added_has_the_rest() -> None:
    facts = json.loads(report().to_json())
    del facts["bits_per_weight"], facts["summary"]["band"]
    for unit in facts["units"]:
        unit.get("weights", {}).pop("bits_per_weight", None)
    page = Page(render_html(facts))
    for text in ("Bits per weight", "bits each", "Low and high"):
        assert text in Page(render_html(content())).words
        assert text not in page.words
    assert f"{facts['summary']['lut']:,.0f} LUT" in page.words


def test_a_key_that_is_missing_is_an_error_and_no_gap() -> None:
    facts = content()
    del facts["multiplier_free"]["rule"]
    with pytest.raises(UndefinedError, match="rule"):
        render_html(facts)


HOSTILE = st.lists(
    st.sampled_from(
        ["<", ">", "&", '"', "'", "`", "=", "/", "\\", " ", "x", "é", "<script>alert(1)</script>", "</style>",
         "</main>", "<!--", "]]>", "&lt;", "&amp;", "{{ 7 * 7 }}", "{% raw %}", "{#", "' onload='x",
         '" onload="x', "<b>"]
    ),
    min_size=1, max_size=6,
).map("".join)  # fmt: skip
# What the page decides by; it shows neither.
MACHINE = ("io_type", "backend")


def with_suffix(facts: Any, suffix: str, key: str = "") -> Any:
    """`facts` with `suffix` after every text and every key that is a name."""
    if isinstance(facts, dict):
        named = key in ("parts", "accuracy", "why", "versions", "utilization")
        return {k + suffix if named else k: with_suffix(v, suffix, k) for k, v in facts.items()}
    if isinstance(facts, list):
        return [with_suffix(value, suffix, key) for value in facts]
    return facts + suffix if isinstance(facts, str) and key not in MACHINE else facts


def names(facts: dict[str, Any]) -> list[str]:
    """Texts of the report that the page shows as they are."""
    project = facts["project"]
    units = [unit[key] for unit in facts["units"] for key in ("name", "input_type", "output_type")]
    parts = [name for unit in facts["units"] for name in unit["parts"]]
    return [
        project["name"], facts["trust"], facts["created"], *facts["device"].values(), *units, *parts,
        *(name for name, row in facts["utilization"].items() if row["available"]),
        *facts["multiplier_free"]["integer_layers"], project["verdict"]["against"],
        *project["accuracy"], *project["commands"], *project["versions"], *project["versions"].values(),
        project["folding"]["goal"], *project["folding"]["why"], *project["folding"]["why"].values(),
        project["vendor"][0]["tool"], facts["synthesis"]["tool"], facts["synthesis"]["other_folding"][0],
        facts["summary"]["band"]["basis"], facts["calibration"]["blind"]["sentence"], facts["calibration"]["command"],
    ]  # fmt: skip


@given(HOSTILE)
def test_names_come_out_as_text_whatever_is_in_them(suffix: str) -> None:
    facts = content()
    plain, facts = Page(render_html(facts)), with_suffix(facts, suffix)
    page = Page(render_html(facts))
    # Not an element, not an attribute and not an attribute's value more than with plain names.
    assert page.elements == plain.elements
    assert page.unclosed == []
    assert [name for name in names(facts) if name not in page.text] == []


@given(HOSTILE, HOSTILE)
def test_attributes_are_escaped_too(name: str, inside: str) -> None:
    """No text of a report is in an attribute today; the macros would escape one."""
    macros = html._environment().get_template("macros.html.j2").module
    for text in (macros.bar(name, name, [(0.5, inside)]), macros.row([name], inside)):  # type: ignore[attr-defined]
        page = Page(str(text))
        assert inside in [attributes.get("class") for _, attributes in page.elements]
        assert {name for _, attributes in page.elements for name in attributes} <= {"class", "style"}
        assert name in page.text

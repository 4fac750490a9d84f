"""The report of a project with what lies in its folder, and a report that was saved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from crq import hw
from crq.hw.cost.resources import Resources
from crq.hw.devices.catalog import find
from crq.hw.forms.verdicts import keep, kept
from crq.hw.report.answers import answers
from crq.hw.report.project import project_report, report_facts, verdict_of
from crq.hw.report.verdict import MADE
from crq.hw.rtl.measure import Measured, Measurements, store
from tests.support.random_graphs import small_cnn


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> hw.Project:
    folder = tmp_path_factory.mktemp("project") / "p"
    return hw.build(small_cnn(), folder, part="PYNQ-Z2", clock_period=4.0, target_fps=2000, project_name="net")


@pytest.fixture
def copy(built: hw.Project, tmp_path: Path) -> hw.Project:
    return hw.open_project(shutil.copytree(built.directory, tmp_path / "p"))


def timeless(facts: dict) -> dict:
    return {**facts, "created": None}


def test_a_project_is_reported_as_it_was_built(built: hw.Project) -> None:
    facts = project_report(built).to_dict()
    assert (facts["device"]["part"], facts["clock_period_ns"]) == (find("PYNQ-Z2").part, 4.0)
    assert {u["name"]: (u["pe"], u["simd"]) for u in facts["units"]} == {n: f[:2] for n, f in built.folds.items()}
    project = facts["project"]
    assert (project["name"], project["backend"], project["io_type"]) == ("net", "hls", "io_stream")
    assert project["folding"] == {"goal": built.manifest.goal, "why": built.manifest.why, "wanted": {"fps": 2000}}
    assert project["versions"] == built.manifest.versions
    assert (project["vendor"], facts["synthesis"]) == ([], None)
    assert "verdict" not in project


def test_another_part_and_clock_change_the_figures_and_not_the_folding(built: hw.Project) -> None:
    own, other = project_report(built).to_dict(), project_report(built, part="KV260", clock_period_ns=8.0).to_dict()
    assert other["device"]["part"] == find("KV260").part
    assert other["summary"]["interval_cycles"] == own["summary"]["interval_cycles"]
    assert other["summary"]["frames_per_second"] == pytest.approx(own["summary"]["frames_per_second"] / 2)
    assert other["utilization"]["LUT"]["available"] == find("KV260").lut


def test_what_lies_in_the_folder_is_in_the_report(copy: hw.Project) -> None:
    found = {"images": 3, "integers": 30, "differing": 0, "against": "PyTorch", "equal": True}
    keep(copy, "check", found)
    row = Measured(copy.folds["pool3"], Resources(77), 1.0)
    store(copy.directory / "synthesis.json", Measurements("Yosys 0", "xc7", "today", {"pool3": row}))
    facts = project_report(copy).to_dict()
    verdict = facts["project"]["verdict"]
    assert {key: verdict[key] for key in found} == found
    assert (verdict["stale"], verdict["proofs"]) == (None, [])
    assert [(u["name"], u["measured"]["lut"]) for u in facts["synthesis"]["units"]] == [("pool3", 77)]


def test_what_is_given_besides_wins(copy: hw.Project) -> None:
    keep(copy, "check", {"images": 3, "integers": 30, "differing": 5, "against": "PyTorch", "equal": False})
    info = {"name": "digits", "verdict": {"differing": 0}, "accuracy": {"frozen": 0.5}}
    project = project_report(copy, info=info).to_dict()["project"]
    assert {key: project[key] for key in info} == info
    assert project["backend"] == "hls"


def test_a_folder_and_its_saved_report_say_the_same(built: hw.Project, tmp_path: Path) -> None:
    facts = report_facts(built.directory)
    project_report(built).to_json(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text())
    assert report_facts(tmp_path) == report_facts(tmp_path / "report.json") == saved
    assert timeless(json.loads(json.dumps(facts))) == timeless(saved)


@pytest.mark.parametrize("wish", [{"part": "KV260"}, {"clock_period_ns": 3.0}])
def test_a_saved_report_is_of_its_part_and_clock(built: hw.Project, wish: dict, tmp_path: Path) -> None:
    project_report(built).to_json(tmp_path / "report.json")
    with pytest.raises(
        hw.HwError, match="report.json is a saved report; for another part, clock or calibration name the project's"
    ):
        report_facts(tmp_path, **wish)


@pytest.mark.parametrize("text", ["", "no JSON", "{}", "[]", "3", '"text"'])
def test_a_file_that_is_no_report_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(hw.HwError, match="other.json is no report that crq saved"):
        report_facts(tmp_path / "other.json")


def test_a_report_of_another_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"schema": 99}')
    with pytest.raises(hw.HwError, match="has schema 99, but this crq reads 1: make the report again"):
        report_facts(tmp_path)


def test_a_folder_without_either_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(hw.HwError, match="no crq project"):
        report_facts(tmp_path)


def test_a_comparison_of_recipes_says_where_its_table_is(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(hw.HwError, match=r"is a comparison of recipes: its table is .*comparison\.md"):
        report_facts(tmp_path)


def test_everything_that_was_found_stands_in_one_verdict(copy: hw.Project) -> None:
    facts = {"images": 3, "integers": 30, "differing": 0, "equal": True}
    keep(copy, "check", {**facts, "against": "its file"})
    keep(copy, "simulate", {**facts, "against": "PyTorch", "proofs": [{"name": "sources", "ok": True}]})
    one = verdict_of(kept(copy))
    assert (one["images"], one["integers"], one["differing"], one["equal"]) == (6, 60, 0, True)
    assert (one["against"], one["stale"]) == ("its file and PyTorch", None)
    assert [proof["name"] for proof in one["proofs"]] == ["sources"]
    keep(copy, "check", {**facts, "against": "its file", "differing": 2, "equal": False})
    (copy.directory / "firmware" / "defines.h").write_text("// changed")
    one = verdict_of(kept(copy))
    assert (one["differing"], one["equal"], one["stale"]) == (2, False, "the project changed since")
    assert verdict_of({}) is None


def test_what_was_found_of_another_design_yields_to_what_holds(copy: hw.Project) -> None:
    facts = {"images": 3, "integers": 30, "differing": 0, "equal": True}
    defines = copy.directory / "firmware" / "defines.h"
    before = defines.read_bytes()
    defines.write_text("// changed")
    keep(copy, "simulate", {**facts, "against": "PyTorch", "differing": 2, "equal": False})
    assert report_facts(copy.directory)["project"]["verdict"]["stale"] is None
    defines.write_bytes(before)
    assert report_facts(copy.directory)["project"]["verdict"]["equal"] is False
    keep(copy, "check", {**facts, "against": "its file"})
    found = report_facts(copy.directory)["project"]["verdict"]
    assert (found["equal"], found["stale"], found["against"]) == (True, None, "its file")


def test_what_was_found_of_this_design_stays_without_its_reference(copy: hw.Project, tmp_path: Path) -> None:
    facts = {"images": 3, "integers": 30, "differing": 0, "equal": True}
    (tmp_path / "frozen.pt").write_bytes(b"")
    keep(copy, "simulate", {**facts, "against": "PyTorch", "differing": 2, "equal": False}, tmp_path / "frozen.pt")
    (tmp_path / "frozen.pt").unlink()
    keep(copy, "check", {**facts, "against": "its file"})
    found = report_facts(copy.directory)["project"]["verdict"]
    assert (found["equal"], found["differing"]) == (False, 2)
    assert found["stale"].endswith("frozen.pt is no longer there")


def test_the_same_images_in_several_modes_are_counted_once(copy: hw.Project) -> None:
    facts = {"images": 3, "integers": 30, "differing": 0, "equal": True, "against": "PyTorch", "data": None}
    proofs = [{"name": "sources", "ok": True}, {"name": "mutations", "ok": False}]
    keep(copy, "simulate fast", {**facts, "mode": "fast", "proofs": proofs})
    keep(copy, "simulate ap", {**facts, "mode": "ap", "proofs": [{**proof, "ok": True} for proof in proofs]})
    one = verdict_of(kept(copy))
    assert (one["images"], one["integers"], one["modes"]) == (3, 30, ["fast", "ap"])
    assert sorted((proof["name"], proof["ok"]) for proof in one["proofs"]) == [("mutations", False), ("sources", True)]
    keep(copy, "simulate ap digits", {**facts, "mode": "ap", "data": "digits:test", "images": 5, "integers": 50})
    assert verdict_of(kept(copy))["images"] == 8
    assert verdict_of(kept(copy))["samples"] == {MADE: 3, "digits:test": 5}
    of_run = [{**facts, "mode": mode, "data": "digits:test"} for mode in ("fast", "ap")]
    keep(copy, "run", {**facts, "images": 6, "integers": 60, "verdicts": of_run})
    assert verdict_of(kept(copy))["images"] == 8
    assert verdict_of(kept(copy))["samples"] == {MADE: 3, "digits:test": 5}


def test_netlists_are_a_verdict_of_images_that_others_saw_too(copy: hw.Project) -> None:
    facts = {"integers": 30, "differing": 0, "equal": True, "against": "PyTorch"}
    keep(copy, "netlists for ULX3S", {**facts, "mode": "netlist", "images": 3})
    one = verdict_of(kept(copy))
    assert (one["images"], one["modes"]) == (3, ["netlist"])
    keep(copy, "simulate rtl", {**facts, "mode": "rtl", "data": None, "images": 100, "integers": 1000})
    one = verdict_of(kept(copy))
    assert (one["images"], one["integers"], one["modes"]) == (100, 1000, ["netlist", "rtl"])


def test_a_design_that_was_changed_is_not_called_bit_exact(copy: hw.Project) -> None:
    keep(copy, "simulate", {"images": 3, "integers": 30, "differing": 0, "equal": True, "against": "PyTorch"})
    file = copy.directory / "firmware" / "defines.h"
    file.write_text(file.read_text() + "\n")
    found = next(a for a in answers(project_report(copy).to_dict()) if a.question == "exact")
    assert (found.good, found.text) == (
        False, "UNKNOWN: firmware/defines.h is not what the build wrote; build the project again",
    )  # fmt: skip
    keep(copy, "changed", {"images": 2, "integers": 20, "differing": 4, "equal": False, "against": "PyTorch"})
    found = next(a for a in answers(project_report(copy).to_dict()) if a.question == "exact")
    assert not found.good
    assert found.text.startswith("NOT bit-exact as changed: 4 of 20 integers on 2 images differ, against PyTorch (")
    assert found.text.endswith("; changed: firmware/defines.h")


@pytest.mark.parametrize(("file", "text"), [("synthesis.json", "{"), ("synthesis.json", "[]"), ("verdicts.json", "{")])
def test_damaged_files_in_the_folder_are_no_traceback(file: str, text: str, copy: hw.Project) -> None:
    (copy.directory / file).write_text(text)
    if file == "verdicts.json":
        assert "verdict" not in project_report(copy).to_dict()["project"]
        return
    with pytest.raises(hw.HwError, match="synthesis.json: no measurements of crq synth"):
        project_report(copy)


@pytest.mark.parametrize("missing", ["device", "units", "utilization"])
def test_half_a_report_is_refused(built: hw.Project, tmp_path: Path, missing: str) -> None:
    content = project_report(built).to_dict()
    del content[missing]
    (tmp_path / "report.json").write_text(json.dumps(content))
    with pytest.raises(hw.HwError, match="no report that crq saved"):
        report_facts(tmp_path)

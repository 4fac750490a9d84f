"""A tool that is missing fails the run of scripts/test.sh, and skips a test everywhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import ROOT
from tests.support.skips import ALL_TOOLS

MARKED = '@pytest.mark.skipif(True, reason="{}")\ndef test_a(): pass\n'
FAILING = {
    "marked": MARKED.format("Verilator is not installed"),
    "called": 'def test_a(): pytest.skip("g++ is not installed")\n',
    "module": 'pytest.importorskip("no_such_module", reason="Brevitas is a test dependency")\ndef test_a(): pass\n',
}
PASSING = {
    "browser": MARKED.format("chromium is not installed"),
    "gpu": MARKED.format("needs a GPU"),
    "expected": "@pytest.mark.xfail\ndef test_a(): assert False\n",
    "plain": "def test_a(): pass\n",
}


@pytest.mark.parametrize("all_tools", ["1", ""])
@pytest.mark.parametrize("options", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_only_what_is_not_installed_may_skip(options: list[str], all_tools: str, tmp_path: Path) -> None:
    hooks = "pytest_make_collect_report, pytest_runtest_makereport"
    (tmp_path / "conftest.py").write_text(f"from tests.support.skips import {hooks}\n")
    for name, source in {**FAILING, **PASSING}.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n\n{source}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), ALL_TOOLS: all_tools}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        *options,
    ]
    done = subprocess.run([*command, "."], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    bad = {
        line.split()[1].split(".py")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR "))
    }
    assert bad == ({f"test_{name}" for name in FAILING} if all_tools else set()), done.stdout
    assert bool(done.returncode) == bool(all_tools)


def test_the_script_sets_it() -> None:
    assert f"export {ALL_TOOLS}=1" in (ROOT / "scripts" / "test.sh").read_text()

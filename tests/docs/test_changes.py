"""What is new since the last release: every fragment has a kind, and towncrier gathers them all."""

from __future__ import annotations

import re
import subprocess
import sys

from crq import __version__
from tests.support.imports import ROOT

FOLDER = ROOT / "docs" / "changes.d"


def test_every_fragment_is_gathered() -> None:
    fragments = [path for path in FOLDER.iterdir() if path.name != "README.md"]
    assert all(re.fullmatch(r"\+[\w-]+\.(added|changed|fixed|removed)\.md", path.name) for path in fragments)
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "## [9.9.9]" in done.stdout
    said = " ".join(done.stdout.split())
    assert all(" ".join(path.read_text(encoding="utf-8").split()) in said for path in fragments)


def test_the_newest_release_is_this_version() -> None:
    found = re.search(r"^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    assert found[1] == __version__
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")

"""The page on peers cites a paper for every published figure and a command for each of ours."""

from __future__ import annotations

import csv
import re

from tests.support.imports import ROOT

PAGE = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")


def test_every_design_has_a_source() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    ours = [line for line in tables if "**crq" in line]
    assert len(ours) >= 4
    for line in ours:
        assert re.search(r"\*\*(measured|estimated)\*\*.*`python ", line), line
        script = re.search(r"`python (?:-m )?([\w./]+)", line)
        assert script
        path = ROOT / (script[1] if script[1].endswith(".py") else script[1].replace(".", "/"))
        assert path.exists(), path


def test_our_rows_are_those_of_the_csv_files() -> None:
    """The last measurement of each stands on the page."""
    for name, wanted in (("mlp.csv", {}), ("networks.csv", {"network": "resnet20", "fps": "1000.0", "family": "xcup"})):
        with (ROOT / "benchmarks" / name).open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if wanted.items() <= row.items()]
        assert f"{int(rows[-1]['lut']):,}" in PAGE, rows[-1]

"""The page of benchmarks shows every CSV file, row by row, with a command that exists."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from scripts.docs.benchmarks import BENCHMARKS, FOLDER, Benchmark, page, pictures, rows
from tests.support.imports import ROOT


def test_every_table_of_measurements_is_on_the_page() -> None:
    """Those of calibration are sets of circuits and layers, not measurements over time."""
    found = {str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*.csv") if p.parent.name != "calibration"}
    assert found == {benchmark.file for benchmark in BENCHMARKS}


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda b: b.file)
def test_its_rows_stand_there_and_its_command_exists(benchmark: Benchmark) -> None:
    section = page().split(f"\n## {benchmark.title}\n")[1].split("\n## ")[0]
    assert len(re.findall(r"^\| #\d+ \|", section, re.MULTILINE)) == len(rows(benchmark.file))
    script = re.match(r"python (?:-m ([\w.]+)|(\S+\.py))", benchmark.command)
    assert script
    path = ROOT / (script[2] or script[1].replace(".", "/"))
    assert path.is_file() or path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), path


def test_pictures_show_every_measurement() -> None:
    drawn = {f"{benchmark.file.split('/')[-1][:-4]}.svg": benchmark for benchmark in BENCHMARKS if benchmark.series}
    assert pictures().keys() == drawn.keys()
    for name, picture in pictures().items():
        points = [e for e in ET.fromstring(picture).iter() if e.tag.endswith("circle") and e.get("r") == "3.5"]
        series = drawn[name].series
        assert series
        assert len(points) == sum(map(len, series(rows(drawn[name].file)).values()))

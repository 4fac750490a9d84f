"""What the generated reference must say, counted in other ways than the generators do."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import crq
from crq import export, hw
from crq.hw.devices.catalog import find
from crq.train.recipe import BUILT_IN
from scripts.docs.cli import verbs
from tests.support.imports import ROOT

REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", verbs())
def test_every_option_of_every_verb(name: str) -> None:
    section = (REFERENCE / "cli.md").read_text(encoding="utf-8").split(f"\n## crq {name}\n")[1].split("\n## ")[0]
    printed = CliRunner().invoke(verbs()[name], ["--help"]).stdout
    options = set(re.findall(r"^  (?:-\w, )?(--[a-z][\w-]*)", printed, re.MULTILINE)) - {"--help"}
    assert all(f"`{option}`" in section for option in options)


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.toml")), ids=lambda p: p.stem)
def test_every_key_of_the_built_in_recipes(path: Path) -> None:
    page = (REFERENCE / "recipe.md").read_text(encoding="utf-8")
    for section, values in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert f"`{section}`" in page
        for key in values if isinstance(values, dict) else ():
            assert f"| `{key}` |" in page, (section, key)


def test_every_public_name() -> None:
    page = (REFERENCE / "python.md").read_text(encoding="utf-8")
    for module in (crq, export, hw):
        for name in module.__all__:
            assert name == "__version__" or f"\n### {name}\n" in page, name


def test_every_part_and_board() -> None:
    page = (REFERENCE / "devices.md").read_text(encoding="utf-8")
    for path in (ROOT / "hw" / "devices").rglob("*.json"):
        facts = json.loads(path.read_text(encoding="utf-8"))
        assert f"| {facts.get('die', facts.get('name'))} |" in page, path
    for name in re.findall(r"^\| ([\w.-]+) \| `", page, re.MULTILINE):
        assert find(name), name


def test_every_key_of_report_json_that_its_page_explains() -> None:
    """Keys of docs/report.md's table stand in the list that is made of a real report."""
    listed = (REFERENCE / "files.md").read_text(encoding="utf-8")
    table = (ROOT / "docs" / "report.md").read_text(encoding="utf-8").split("## report.json")[1]
    keys = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    assert len(keys) >= 9
    for name in re.findall(r"`(\w+)`", " ".join(keys)):
        assert f"| `{name}` |" in listed, name

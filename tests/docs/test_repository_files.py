"""Files at the root that others' tools read: citation, templates of issues."""

from __future__ import annotations

import tomllib

import pytest
import yaml

import crq
from tests.support.imports import ROOT

TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def test_the_citation_names_this_version() -> None:
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (found["version"], found["license"]) == (crq.__version__, project["license"])
    assert {"cff-version", "message", "title", "authors"} <= found.keys()


@pytest.mark.parametrize("path", [p for p in TEMPLATES if p.stem != "config"], ids=lambda p: p.stem)
def test_a_template_asks_for_the_machine(path) -> None:
    fields = yaml.safe_load(path.read_text(encoding="utf-8"))["body"]
    asked = [f for f in fields if "crq doctor --json" in f["attributes"]["label"]]
    assert [f["validations"]["required"] for f in asked] == [True]
    assert len({f["id"] for f in fields}) == len(fields)

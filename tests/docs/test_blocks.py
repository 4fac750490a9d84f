"""Every code block of the README and of docs/ runs as printed, and prints what it says.

pytest-markdown-docs runs Python blocks alone and compares no output; pytest-codeblocks and sybil give shell blocks no
place that they share with the Python blocks of their page. The reader is tests/support/blocks.py.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from crq.train.recipe import Recipe
from scripts.docs.cli import verbs
from tests.support.blocks import LANGUAGES, Block, Reader, blocks, commands, matches
from tests.support.imports import ROOT

FILES = [ROOT / "README.md", ROOT / "UPGRADING.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILES = [path for path in FILES if path.parent.name != "changes.d"]  # no pages of the site
PAGES = {str(path.relative_to(ROOT)): blocks(path.read_text(encoding="utf-8")) for path in FILES if path.exists()}

REASONS = ("Vivado", "a board", "hours", "minutes", "a download", "sets up the machine", "a GPU",
           "several hosts", "a release")  # fmt: skip
"""Why a block may not run here; the reason begins with one of these."""
MOST_NOT_RUN = 24
MARKS = ("not run", "slow", "fails", "output", "picture", "")


def given(page: str, kind: str) -> bool:
    """Whether a page begins with the comment `<!-- given: KIND -->`."""
    path = ROOT / page
    return f"<!-- given: {kind} -->" in path.read_text(encoding="utf-8")


def read(page: str, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Path | None) -> int:
    """Run a page's blocks; how many ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    if digits is not None:
        shutil.copytree(digits / "runs", tmp_path / "runs")
    reader, last, count = Reader(), None, 0
    for block in PAGES[page]:
        where = f"{page}:{block.line}"
        if block.title:
            target = tmp_path / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.runs:
            last = block if block.mark != "not run" and (slow or block.mark != "slow") else None
            if last:
                reader.run(block, page)
                wanted = int(block.reason) if block.mark == "fails" else 0
                assert reader.code == wanted, f"{where}: exit code {reader.code}: {reader.printed[-3000:]}"
                count += 1
        elif block.language == "text" and block.mark != "picture" and last:
            vary = block.reason == "numbers vary"
            assert matches(block.text, reader.printed, vary), f"{where}: the block above prints\n{reader.printed}"
    return count


def runs(page: str) -> bool:
    return any(block.runs and block.mark not in ("not run", "slow") for block in PAGES[page])


@pytest.mark.parametrize("page", [page for page in PAGES if runs(page)])
def test_a_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    digits = request.getfixturevalue("digits") if given(page, "runs/digits") else None
    assert read(page, False, tmp_path, monkeypatch, digits)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, found in PAGES.items() if any(b.mark == "slow" for b in found)])
def test_a_page_with_its_slow_blocks(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    whole = request.getfixturevalue("whole_digits") if given(page, "runs/digits") else None
    assert read(page, True, tmp_path, monkeypatch, whole)


@pytest.mark.parametrize("page", PAGES)
def test_blocks_say_what_they_are(page: str) -> None:
    for block in PAGES[page]:
        where = f"{page}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: name the block's language, one of {LANGUAGES}"
        assert block.mark in MARKS or block.mark == "given", f"{where}: unknown mark {block.mark!r}"
        assert block.mark != "not run" or block.reason.startswith(REASONS), f"{where}: not run because of {REASONS}?"
        if block.language == "toml":
            _known(tomllib.loads(block.text), Recipe, where)
    text = (ROOT / page).read_text(encoding="utf-8")
    fences = len(re.findall(r"^ *```", text, re.MULTILINE))
    assert fences == 2 * len(PAGES[page]), f"{page}: an indented fence would not be tested"
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"\n\n {4}\S", outside), f"{page}: an indented code block would not be tested; fence it"


def test_few_blocks_do_not_run() -> None:
    assert sum(b.mark == "not run" for found in PAGES.values() for b in found) <= MOST_NOT_RUN


@pytest.fixture(autouse=True)
def _forgotten(tmp_path: Path) -> Iterator[None]:
    """Modules of a page's own are not those of the next page."""
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


NOT_RUN = [(page, block) for page, found in PAGES.items() for block in found if block.mark in ("not run", "slow")]


@pytest.mark.parametrize(("page", "block"), NOT_RUN, ids=[f"{page}:{block.line}" for page, block in NOT_RUN])
def test_what_does_not_run_exists(page: str, block: Block) -> None:
    """Verbs, their options and the repository's scripts, of blocks that the fast tests leave out."""
    if block.language != "sh":
        return
    for words in commands(block.text):
        if words[0] == "crq":
            assert words[1] in verbs(), words
            known = {option for p in verbs()[words[1]].params for option in (*p.opts, *p.secondary_opts)} | {"--help"}
            asked = {word for word in words[2:] if re.match(r"--[a-z]", word)}
            assert asked <= known, (words, asked - known)
        elif words[0] == "python" and words[1].startswith(("benchmarks/", "scripts/", "examples/")):
            assert (ROOT / words[1]).is_file(), words
        elif words[0].startswith("scripts/"):
            assert (ROOT / words[0]).is_file(), words


def _known(values: dict[str, Any], model: type[BaseModel], where: str) -> None:
    """Keys of a part of a recipe are keys of recipes."""
    for key, value in values.items():
        assert key in model.model_fields, f"{where}: recipes have no key {key!r} in {model.__name__}"
        inner = model.model_fields[key].annotation
        inner = next((t for t in get_args(inner) if isinstance(t, type)), inner)
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
            _known(value, inner, where)

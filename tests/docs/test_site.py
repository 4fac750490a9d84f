"""The site is built without a warning, and asks the network for nothing."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.imports import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTHS = """<html><body>{frames}<script>window.onload = () => {{
  const widths = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument.documentElement;
    return frame.title + " " + (page.scrollWidth - page.clientWidth);
  }});
  document.body.innerHTML = "<pre>" + widths.join(";") + "</pre>";
}};</script></body></html>"""
"""Frames as wide as a phone: what does not fit widens the document in it."""
pytestmark = pytest.mark.skipif(importlib.util.find_spec("material") is None, reason="mkdocs-material is not installed")


def built(root: Path, target: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target],
        cwd=root, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    done = built(ROOT, target)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"^(WARNING|ERROR)", done.stderr, re.MULTILINE), done.stderr
    assert "not included in the" not in done.stderr, done.stderr
    return target


def test_every_page_is_there(site: Path) -> None:
    """But for what changes until the next release, which the changelog gathers."""
    for page in set((ROOT / "docs").rglob("*.md")) - set((ROOT / "docs" / "changes.d").iterdir()):
        assert (site / page.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), page


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and pictures are files of the site; links to papers are links."""
    loaded = re.compile(r"<(?:(?:script|img|iframe|source)[^>]+src|link[^>]+href)=\"(?:https?:)?//")
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text(encoding="utf-8")), page


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_no_page_is_wider_than_a_phone(site: Path, tmp_path: Path) -> None:
    pages = [page.relative_to(site) for page in sorted(site.rglob("*.html")) if page.name != "404.html"]
    frame = '<iframe title="{0}" src="{0}" style="width:390px;height:900px;border:0"></iframe>'
    (site / "widths.html").write_text(WIDTHS.format(frames="".join(frame.format(page) for page in pages)))
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=20000", "--dump-dom",
         (site / "widths.html").as_uri()],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    (site / "widths.html").unlink()
    found = re.search(r"<pre>(.*?)</pre>", done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    beyond = dict(entry.rsplit(" ", 1) for entry in found[1].split(";"))
    assert len(beyond) == len(pages)
    assert set(beyond.values()) == {"0"}, {page: pixels for page, pixels in beyond.items() if pixels != "0"}


def test_pictures_are_small(site: Path) -> None:
    sizes = {p: p.stat().st_size for p in site.rglob("*") if p.suffix in (".png", ".webp")}
    assert sizes
    assert sum(sizes.values()) < 1_000_000, sizes


def test_a_broken_anchor_is_an_error(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "CHANGELOG.md", "UPGRADING.md", "CONTRIBUTING.md", "SECURITY.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("docs", "examples", "scripts", "benchmarks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    home = tmp_path / "docs" / "index.md"
    home.write_text(home.read_text(encoding="utf-8") + "\n[x](glossary.md#no-such-term)\n", encoding="utf-8")
    done = built(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "no-such-term" in done.stderr


def test_the_glossary_is_in_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.MULTILINE)
    words = [term.lower() for term in terms if term.isascii() and len(term) > 1]
    assert words == sorted(words)
    assert {"code", "threshold", "fold, folding", "beat", "tie", "accumulator", "dose"} <= set(words)
    assert {"α", "λ"} <= set(terms)

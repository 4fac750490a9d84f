"""Pictures of a report: the sections that are asked for, cut where the page ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from scripts.docs.screenshots import MARGIN, PICTURES, SECTIONS, only, shot

PAGE = "<html><style>body{margin:0}</style><main><h1>N</h1><h2>One</h2><p>a</p><h2>Two</h2><p>b</p></main></html>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_sections_are_chosen_by_their_headings() -> None:
    assert "<main><h2>Two</h2><p>b</p></main>" in only(PAGE, ("Two",))
    assert "<main><h1>N</h1><h2>One</h2><p>a</p></main>" in only(PAGE, ("", "One"))


def test_every_picture_is_in_the_repository() -> None:
    assert all((PICTURES / f"{name}.webp").is_file() for name in SECTIONS)


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_picture_ends_where_the_page_does(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body style='margin:0'><div style='height:100px;background:red'></div></body></html>")
    shot(page, tmp_path / "page.webp", width=600, height=500)
    with Image.open(tmp_path / "page.webp") as picture:
        assert picture.size == (600, 100 + MARGIN)

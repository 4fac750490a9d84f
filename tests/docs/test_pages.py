"""The generated pages of docs/ are what the code says."""

from __future__ import annotations

import pytest

from scripts.docs.pages import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is not what the code says: python -m scripts.docs writes it anew"

"""Writes every generated page of docs/: `python -m scripts.docs`."""

from __future__ import annotations

from scripts.docs.pages import DOCS, PAGES

if __name__ == "__main__":
    for name, text in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding="utf-8")

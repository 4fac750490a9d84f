"""Pieces of generated Markdown."""

from __future__ import annotations

from scripts.docs.text import prose, table


def test_tables_and_paragraphs() -> None:
    assert table(("a", "b"), [("x|y", 1)]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
    assert prose("One\n    line <x>.\n\n    Two.") == "One line \\<x>.\n\nTwo."

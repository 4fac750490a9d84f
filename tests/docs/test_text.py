"""Pieces of generated Markdown."""

from __future__ import annotations

from scripts.docs.text import before, keys, prose, table

DOC = """What it is. rate: samples per second; of every file. low, high: Hz,
    by default all. With a remark. options: of a `name: value` kind.
    """
NAMES = ("rate", "low", "high", "options", "absent")


def test_what_a_docstring_says_by_name() -> None:
    assert before(DOC, NAMES) == "What it is. "
    assert keys(DOC, NAMES) == {
        "rate": "samples per second; of every file", "low": "Hz, by default all. With a remark",
        "high": "Hz, by default all. With a remark", "options": "of a `name: value` kind",
    }  # fmt: skip


def test_tables_and_paragraphs() -> None:
    assert table(("a", "b"), [("x|y", 1)]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
    assert prose("One\n    line <x>.\n\n    Two.") == "One line \\<x>.\n\nTwo."

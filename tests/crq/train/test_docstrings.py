"""Docstrings that name what they explain."""

from __future__ import annotations

from crq.train.docstrings import before, keys

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

"""LaTeX tables: every cell reads as the plain text it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.report.latex import escaped, tabular

BACK = {r"\&": "&", r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}", r"\textbackslash{}": "\\",
        r"\~{}": "~", r"\^{}": "^", r"$\pm$": "±"}  # fmt: skip


@given(st.text("ab&%$#_{}\\~^± 1.", max_size=12))
def test_nothing_is_left_that_latex_would_read_otherwise(text: str) -> None:
    rest, found = escaped(text), ""
    while rest:
        word = next((word for word in sorted(BACK, key=len, reverse=True) if rest.startswith(word)), rest[0])
        assert word not in "&%$#_{}\\~^±"
        found, rest = found + BACK.get(word, word), rest[len(word) :]
    assert found == text


@pytest.mark.parametrize(
    ("cell", "shown"), [("4-8", "4--8"), ("-0.42", "-0.42"), ("runs/1-2", "runs/1-2"), ("–", "--")]
)
def test_ranges_have_their_dash(cell: str, shown: str) -> None:
    assert escaped(cell) == shown


def test_a_table() -> None:
    lines = tabular(["name", "LUT"], [["a_b", "12"]], {"name"}).splitlines()
    assert lines[1] == r"\begin{tabular}{lr}"
    assert lines[3:6] == [r"name & LUT \\", r"\midrule", r"a\_b & 12 \\"]

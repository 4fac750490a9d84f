"""The table of rules and forms of pragmas."""

from __future__ import annotations

import re

import pytest

from crq.hw.verify.proofs.lint.rules import PRAGMAS, RULES, Finding


def test_a_finding_says_where_it_is_and_what_the_rule_is() -> None:
    assert str(Finding("a.h", 3, "exceptions", "  throw x; ")) == "a.h:3: throw x; (exceptions: no exceptions)"


def test_every_rule_is_one_sentence_part() -> None:
    for name, text in RULES.items():
        assert re.fullmatch(r"[a-z-]+", name)
        assert not text.endswith(".")
        assert text.strip() == text


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("PIPELINE", "II=1", "II=2"),
        ("BIND_STORAGE", "variable=w type=rom_1p impl=bram", "variable=w type=ram_2p impl=bram"),
        ("BIND_STORAGE", "variable=s type=fifo impl=lutram", "variable=s type=fifo impl=srl"),
        ("BIND_OP", "variable=p op=mul impl=fabric", "variable=p op=mul impl=dsp"),
        ("STREAM", "variable=s depth=2", "variable=s depth=n"),
        ("INTERFACE", "mode=axis port=x", "mode=m_axi port=x"),
        ("INLINE", "", "on"),
    ],
)
def test_forms_take_what_is_shipped_and_nothing_else(name: str, good: str, bad: str) -> None:
    assert re.fullmatch(PRAGMAS[name], good)
    assert not re.fullmatch(PRAGMAS[name], bad)

"""The readings of a text: together they have all of its lines, and each of them is one that a compiler could see."""

from __future__ import annotations

from pathlib import Path

import pytest

from crq.hw.verify.proofs.lint.preprocess import readings
from tests.hw.verify.proofs.lint.code import KERNELS


def read(*lines: str) -> list[str]:
    return [" ".join(reading.split()) for reading in readings("\n".join(lines))]


def test_a_text_without_conditions_has_one_reading() -> None:
    assert read("a", "b") == ["a b"]


def test_each_branch_is_read() -> None:
    assert read("#ifdef A", "a", "#else", "b", "#endif", "c") == ["a c", "b c"]
    assert read("#if A", "a", "#elif B", "b", "#elif C", "c", "#endif") == ["a", "b", "c"]
    assert read("#if 0", "a", "#endif") == ["a"]


def test_the_same_condition_holds_throughout() -> None:
    assert read("#ifdef A", "a", "#endif", "#ifndef A", "b", "#endif", "#if defined(A)", "c", "#endif") == ["a c", "b"]


def test_inner_conditions() -> None:
    inner = ["#ifdef B", "b", "#else", "c", "#endif"]
    assert read("#ifndef A", *inner, "#else", "d", "#endif") == ["b", "c", "d"]
    assert read("#ifdef A", "a", "#endif", "#ifndef A", *inner, "#endif") == ["a", "b", "c"]


def test_a_condition_that_contradicts_itself_is_read_too() -> None:
    assert read("#ifndef A", "#define A", "#ifdef A", "a", "#endif", "#endif") == ["#define A", "#define A a"]


def test_conditions_in_comments_and_strings_are_none() -> None:
    assert read("/*", "#ifdef A", "*/", "a", "// \\", "#else", "b") == ["a b"]
    assert read('R"(', "#ifdef A", ')";', "a") == ['R"()" ; a']


def test_joined_lines() -> None:
    assert readings("wh\\\nile\nb") == ["while\n\nb"]


@pytest.mark.parametrize("path", sorted(KERNELS.glob("*.h")), ids=lambda path: path.name)
def test_lines_keep_their_numbers(path: Path) -> None:
    text = path.read_text()
    assert {reading.count("\n") for reading in readings(text)} == {text.count("\n")}

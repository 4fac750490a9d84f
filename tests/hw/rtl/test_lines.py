"""Long lines are broken: nothing else changes, and no constant its value."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crq.hw.dataflow.units import units
from crq.hw.ir.graph import Network
from crq.hw.rtl.generate import generate
from crq.hw.rtl.lines import LIMIT, wrapped
from crq.hw.rtl.parallel import generate_parallel
from crq.hw.rtl.verilog import Design, library, literal
from tests.support import random_graphs


def longest(design: Design) -> int:
    return max(len(line) for text in design.sources.values() for line in text.split("\n"))


@pytest.mark.parametrize("name", random_graphs.NETWORKS)
def test_no_line_of_any_network_is_long(name: str) -> None:
    """Under foldings that are wide, and narrow, and unrolled over all pixels."""
    network = Network(random_graphs.NETWORKS[name](3))
    for choice in (0, -1):
        design = generate(network, {u.name: u.legal_folds()[choice] for u in units(network)})
        assert longest(design) <= LIMIT
    assert longest(generate_parallel(network)) <= LIMIT


def test_short_lines_stay_as_they_are() -> None:
    text = "  assign x = 12'hfff;\n\n// a comment\n"
    assert wrapped(text) == text


def value(text: str) -> int:
    """Of a constant, or of a concatenation of constants."""
    total = 0
    for width, digits in re.findall(r"(\d+)'h([0-9a-f]+)", text):
        total = total << int(width) | int(digits, 16)
    return total


@given(st.lists(st.booleans(), min_size=1, max_size=3000))
def test_long_constants_are_cut_and_keep_their_value(bits: list[bool]) -> None:
    found = wrapped(f"  wire [{len(bits) - 1}:0] t = {literal(bits)};")
    assert max(map(len, found.split("\n"))) <= LIMIT
    right = found.partition("=")[2]
    assert value(right) == value(literal(bits))
    assert sum(int(width) for width in re.findall(r"(\d+)'h", right)) == len(bits)


@given(st.lists(st.text("abcdefgh[]+:012", min_size=1, max_size=30), min_size=1, max_size=60))
def test_concatenations_are_broken_between_their_parts(parts: list[str]) -> None:
    line = f"    assign y = {{{', '.join(parts)}}};"
    found = wrapped(line)
    assert max(map(len, found.split("\n"))) <= LIMIT
    assert found.split() == line.split()


def test_comments_stay_comments() -> None:
    words = " ".join(f"word{i}" for i in range(60))
    found = wrapped(f"//   weights      {words}\n  wire [{9}:0] v = a + b;  // {words}")
    lines = found.split("\n")
    assert max(map(len, lines)) <= LIMIT
    assert all(line.lstrip().startswith("//") for line in lines[:-1])
    assert lines[-1] == "  wire [9:0] v = a + b;"
    assert lines[1].startswith("//   ")


def test_comments_of_the_library_are_whole_and_speak_of_the_hardware() -> None:
    """A sentence that `wrapped` breaks would be indented; a module of Python says nothing to who reads Verilog."""
    for name, text in library().items():
        assert "//   " not in text, name
        assert "crq.hw" not in text, name

"""The grammar's nodes: names, declarators, words around types, fragments on their own line, and what it cannot read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tree_sitter import Node

from crq.hw.verify.proofs.lint.syntax import (
    Declarator,
    errors,
    line_of,
    parse,
    parse_fragment,
    parts,
    shown,
    text_of,
    words_of,
)


def only(text: str) -> Node:
    return parse(text).named_children[0]


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def declarator(text: str) -> Declarator:
    node = only(text).child_by_field_name("declarator")
    assert node is not None
    return Declarator(node)


@pytest.mark.parametrize(
    ("text", "name", "function", "reference", "array"),
    [
        ("int a;", "a", False, False, False),
        ("int a = 3;", "a", False, False, False),
        ("int a[3][4];", "a", False, False, True),
        ("const int &a = b;", "a", False, True, False),
        ("int f(int a);", "f", True, False, False),
        ("int &f(int a) { return a; }", "f", True, True, False),
        ("void a::b<3>::f() {}", "a::b<3>::f", True, False, False),
        ("void f(x_T (&window)[9]) {}", "f", True, False, False),
    ],
)
def test_a_declarator_is_taken_apart(text: str, name: str, function: bool, reference: bool, array: bool) -> None:
    found = declarator(text)
    assert found.name is not None
    assert text_of(found.name) == name
    assert (found.function is not None, found.is_reference, found.is_array) == (function, reference, array)


@pytest.mark.parametrize(
    ("text", "names"),
    [("int a;", ["a"]), ("int a::b::c;", ["a", "b", "c"]), ("int a<x * 3>::b;", ["a", "b"]), ("int ::a;", ["a"])],
)
def test_a_name_comes_part_by_part_without_template_arguments(text: str, names: list[str]) -> None:
    found = declarator(text)
    assert found.name is not None
    assert parts(found.name) == names


def test_words_around_a_type() -> None:
    assert words_of(only("static const unsigned a = 3;")) == {"static", "const"}
    assert words_of(only("unsigned const a = 3;")) == {"const"}
    assert words_of(only("int a;")) == set()


def test_a_fragment_keeps_its_line_and_must_be_a_program() -> None:
    found = parse_fragment("auto value = {", "a * b", "};", 6)
    assert found is not None
    [product] = [node for node in walk(found) if node.type == "binary_expression"]
    assert (shown(product), line_of(product)) == ("a * b", 7)
    assert parse_fragment("auto value = {", "a * * / b", "};", 6) is None


def test_what_the_grammar_cannot_read_is_given_once_at_its_place() -> None:
    assert list(errors(parse("int a;\nint b;\n"))) == []
    [found] = errors(parse("int a;\nint b = ;\n"))
    assert line_of(found) == 2


def test_a_node_is_shown_on_one_line() -> None:
    assert shown(only("int   a\n  = 3;")) == "int a = 3;"
    assert len(shown(only(f"int {'a' * 500};"))) == 120

"""What a name means where it stands, and what follows for an expression."""

from __future__ import annotations

import pytest
from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import Scope, Symbol, is_constant, kind_of, least, owner_of
from crq.hw.verify.proofs.lint.syntax import parse


def scope() -> Scope:
    """A function in which `c` is a constant, `i` an index, `n` an integer and `x` is data."""
    file = Scope("file")
    file.inside["config"] = [Scope("class", ("config",), file)]
    file.inside["config"][0].symbols["size"] = Symbol("size", "constant", (0, 0))
    file.inside["config"][0].symbols["table"] = Symbol("table", "data", (0, 0))
    file.symbols["alias"] = Symbol("alias", "type", (0, 0), alias="config")
    function = Scope("function", ("f",), Scope("template", (), file))
    for name, kind in (("c", "constant"), ("i", "index"), ("n", "integer"), ("x", "data")):
        function.symbols[name] = Symbol(name, kind, (0, 0))
    return Scope("block", (), function)


def expression(text: str) -> Node:
    value = parse(f"auto value = {text};").named_children[0].named_children[-1].child_by_field_name("value")
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3", "constant"), ("c", "constant"), ("c * 3 + 1", "constant"), ("sizeof(x)", "constant"), ("i", "index"),
        ("i + c", "index"), ("n", "integer"), ("i * n", "integer"), ("x", "data"), ("i + x", "data"),
        ("unknown", "data"), ("f(i)", "data"), ("t[i]", "data"), ("i ? c : x", "data"), ("-i", "index"),
        ("unsigned(n)", "index"), ("(int)n", "index"), ("static_cast<unsigned>(n)", "index"), ("unsigned(x)", "data"),
        ("unsigned(c)", "constant"), ("config::size", "constant"), ("config::table", "data"),
        ("alias::size", "constant"),
        ("alias::table", "data"), ("CONFIG_T::anything", "constant"),
    ],
)  # fmt: skip
def test_an_expression_is_as_trusted_as_its_least_trusted_name(text: str, kind: str) -> None:
    assert kind_of(expression(text), scope()) == kind
    assert is_constant(expression(text), scope()) == (kind == "constant")


def test_least_is_the_least_trusted() -> None:
    assert least() == "constant"
    assert least("index", "constant", "integer") == "integer"
    assert least("data", "index") == "data"
    assert not is_constant(None, scope())


def test_a_name_holds_from_where_it_is_declared_but_in_a_class_everywhere() -> None:
    outer = Scope("file", symbols={"a": Symbol("a", "constant", (0, 0))})
    block = Scope("block", (), outer, {"a": Symbol("a", "data", (5, 0))})
    found = [block.find("a", at) for at in ((4, 0), (5, 0))]
    assert [symbol.kind for symbol in found if symbol] == ["constant", "data"]
    inside = Scope("class", ("k",), outer, {"a": Symbol("a", "data", (5, 0))})
    later = inside.find("a", (4, 0))
    assert later is not None
    assert later.kind == "data"
    assert block.find("b", (9, 0)) is None


def test_scopes_know_their_function_their_home_and_their_path() -> None:
    block = scope()
    function = block.parent
    assert function is not None
    template = function.parent
    assert template is not None
    assert block.function() is function
    assert template.function() is None
    assert (template.home, block.home) == (block.file, block)
    assert block.path == ("f",)


def test_aliases_that_go_round_end() -> None:
    block = scope()
    assert owner_of("alias", (1, 0), block) == "config"
    block.symbols["a"] = Symbol("a", "type", (0, 0), alias="b")
    block.symbols["b"] = Symbol("b", "type", (0, 0), alias="a")
    assert owner_of("a", (1, 0), block) in ("a", "b")

"""One reading of a file: every node in its scope, macros read where they are defined."""

from __future__ import annotations

from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import line_of, shown


def products(source: Source) -> list[tuple[str, int, str]]:
    """Every product, its line, and the kind of scope it stands in."""
    return [
        (shown(node), line_of(node), scope.kind)
        for node, scope in source.find("binary_expression")
        if node.children[1].type == "*"
    ]


def test_nodes_stand_in_the_scope_around_them() -> None:
    text = "void f() {\n    y = a * b;\n    auto m = [&](int c) {\n        return c * c;\n    };\n}\nint z = d * d;\n"
    assert products(Source(text)) == [("a * b", 2, "block"), ("c * c", 4, "block"), ("d * d", 7, "file")]


def test_scopes_are_named_by_what_opens_them() -> None:
    source = Source("namespace n {\nstruct s {\n    template <class T>\n    void f(T a, int b = 3) {}\n};\n}\n")
    paths = {scope.kind: scope for scope in source.scopes}
    assert paths["function"].path == ("n", "s", "f")
    assert (paths["function"].fewest, paths["function"].most) == (1, 2)
    assert [scope.kind for scope in source.root.inside["s"]] == ["class"]


def test_arguments_are_counted() -> None:
    arity = {
        scope.name[-1]: (scope.fewest, scope.most)
        for scope in Source("void a();\nvoid b(void);\nvoid c(int x, int y = 1);\nvoid d(int x, ...);\n").scopes
        if scope.kind == "function"
    }
    assert arity == {"a": (0, 0), "b": (0, 0), "c": (1, 2), "d": (1, None)}


def test_a_macro_is_read_where_it_is_defined() -> None:
    source = Source("#define SIZE 3\n#define TWICE(a) ((a) * 2)\n#define TYPE unsigned\n")
    assert products(source) == [("(a) * 2", 2, "block")]
    assert source.macros.keys() == {"SIZE", "TWICE", "TYPE"}
    assert source.macros["SIZE"].kind == "constant"
    assert source.unread == []


def test_a_macro_of_a_name_that_is_declared_takes_the_name() -> None:
    source = Source("void f(unsigned n) { y = n * 3; }\n#define n x\n")
    assert {symbol.kind for _, symbol in source.symbols() if symbol.name == "n"} == {"data"}


def test_a_macro_that_is_no_code_is_not_read() -> None:
    assert [line_of(node) for node in Source("int a;\n#define OPEN {{ (\n").unread] == [2]


def test_what_looks_like_a_function_in_a_function_is_a_variable_with_its_operands() -> None:
    assert products(Source("void f() {\n    x_T z(a * b);\n}\n")) == [("a * b", 2, "block")]


def test_what_the_grammar_cannot_read_is_kept() -> None:
    assert [line_of(node) for node in Source("int a;\nint b = ;\n").unread] == [2]

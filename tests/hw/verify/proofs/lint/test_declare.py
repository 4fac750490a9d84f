"""What each form of declaration adds to its scope."""

from __future__ import annotations

import pytest

from crq.hw.verify.proofs.lint.names import Symbol
from crq.hw.verify.proofs.lint.source import Source


def symbol(text: str, name: str) -> Symbol:
    [found] = [s for _, s in Source(text).symbols() if s.name == name]
    return found


def in_a_function(text: str) -> str:
    return f"void f(unsigned n) {{\n{text}\n}}\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("unsigned a = 3;", "index"), ("int a = 3;", "integer"), ("const unsigned a = 3;", "constant"),
        ("static const int a = 3;", "constant"), ("const unsigned a = g();", "index"),
        ("const auto a = 3;", "constant"),
        ("const unsigned a = n;", "index"), ("ap_int<8> a = 3;", "data"), ("const x_T a = 3;", "data"),
        ("unsigned a[3];", "data"), ("constexpr unsigned a{3};", "constant"), ("float a;", "data"),
        ("auto m = [a = 3] { return a; };", "data"), ("auto [a, b] = g();", "data"),
    ],
)  # fmt: skip
def test_a_variable_is_what_its_type_and_value_make_it(text: str, kind: str) -> None:
    assert symbol(in_a_function(text), "a").kind == kind


def test_words_of_a_variable_are_kept() -> None:
    found = symbol(in_a_function("static const unsigned a = 3;"), "a")
    assert (found.fixed, found.static, found.parameter, found.is_array) == (True, True, False, False)
    assert symbol(in_a_function("const x_T &a = n;"), "a").is_reference
    assert symbol(in_a_function("x_T a[2];"), "a").is_array


def test_several_variables_have_their_own_values() -> None:
    text = in_a_function("const unsigned a = 3, b = n;")
    assert (symbol(text, "a").kind, symbol(text, "b").kind) == ("constant", "index")


def test_parameters_of_functions_and_templates() -> None:
    text = "template <unsigned N, class x_T>\nvoid f(const x_T &x, unsigned i, x_T w[N]) {}\n"
    assert symbol(text, "N").kind == "constant"
    assert (symbol(text, "x_T").kind, symbol(text, "x_T").alias) == ("type", "typename")
    assert (symbol(text, "x").kind, symbol(text, "x").is_reference, symbol(text, "x").parameter) == ("data", True, True)
    assert (symbol(text, "i").kind, symbol(text, "w").kind) == ("index", "data")


def test_types_stand_for_what_they_are_made_of() -> None:
    types = "typedef unsigned index_t;\nusing word_t = ap_uint<8>;\nusing again = index_t;\n"
    text = f"{types}void f() {{ index_t a; again b; word_t c; }}\n"
    assert symbol(text, "index_t").means == "index"
    assert [symbol(text, name).kind for name in "abc"] == ["index", "index", "data"]


def test_fields_and_enumerators_are_constants() -> None:
    text = "struct config {\n    static const unsigned size = 3;\n    enum { first, second = 4 };\n};\n"
    assert [symbol(text, "size").kind] == ["constant"]
    kinds = {s.kind for _, s in Source(text).symbols() if s.name in ("first", "second")}
    assert kinds == {"constant"}


def test_functions_are_functions() -> None:
    assert symbol("int g(int a);\n", "g").kind == "function"

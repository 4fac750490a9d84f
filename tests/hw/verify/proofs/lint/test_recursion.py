"""Functions that call themselves, directly or through others."""

from __future__ import annotations

import pytest

from crq.hw.verify.proofs import lint
from tests.hw.verify.proofs.lint.code import broken, broken_in_body

BODIES = [
    ("recursion", "f(x, y, i, n);"),
    ("recursion", "g(f<x_T, CONFIG_T>(x, y, i, n));"),
    ("recursion", "auto m = [&] { f(x, y, i, n); };"),
    ("recursion", "auto r = [](auto self, int a) { self(self, a); };\n    r(r, 3);"),
]
FILES = [
    ("recursion", text)
    for text in [
        "void even(unsigned n) { odd(n); }\nvoid odd(unsigned n) { even(n); }",
        "namespace a {\ntemplate <int N> struct s {\n    static int f() { return s<N - 1>::f(); }\n};\n}",
        "struct s {\n    void f() { g(); }\n    void g() { f(); }\n};",
        "template <int N> int f() { return f<N - 1>(); }",
        "template <int N> int f() { return N ? (f<N - 1>)() : 0; }",
        "int f(int a, int b = 1) { return f(a); }",
        "int f(int a = 3);\nint f(int a) { return f(); }",
        "int f(int a = f());",
        "template <class... T> int f(T... a) { return f(a...); }",
        "template <class T> struct s {\n    int f();\n    int g() { return f(); }\n};\n"
        "template <class T> int s<T>::f() { return g(); }",
        "struct s {\n    static void f();\n};\ntemplate <class T> void g() { T::f(); }\nvoid s::f() { g<s>(); }",
        "struct s {\n    s() { make(); }\n};\nvoid make() { s x; }",
        "struct s {\n    int operator()(int a) const { return run(a); }\n};\n"
        "int run(int a) {\n    const s t;\n    return t(a);\n}",
        "struct s {\n    static void f() { typedef s t; using u = t; u::f(); }\n};",
        "void f() {\n    [] { f(); }();\n}",
        "void f() {\n    using a::g;\n    g();\n}\nnamespace a {\nvoid g() { f(); }\n}",
        "#define AGAIN f()\nvoid f() { AGAIN; }",
        "#define AGAIN() f()\nvoid f() { AGAIN(); }",
        "#ifdef A\nvoid f() {}\n#else\nvoid f() { f(); }\n#endif",
    ]
]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_recursion_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_recursion_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "struct a {\n    static int f() { return 1; }\n};\nstruct b {\n    static int f() { return a::f(); }\n};",
        "namespace a {\nvoid f() {}\n}\nnamespace b {\nvoid f() { a::f(); }\n}",
        "int f(int a) { return f(a, 1); }\nint f(int a, int b) { return a; }",
        "struct s {\n    int f;\n    s(int f) : f(f) {}\n};",
        "#define SIZE 3\nvoid f() { g(SIZE); }",
    ],
)
def test_functions_of_one_name_are_no_recursion(text: str) -> None:
    assert broken(text) == set()


def test_recursion_is_found_over_files() -> None:
    texts = {"a.h": "inline void a() { b(); }", "b.h": "inline void b() { a(); }"}
    assert [f.rule for f in lint.lint_texts(texts, {})] == ["recursion", "recursion"]

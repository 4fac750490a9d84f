"""Sizes of arrays, pointers, and state that outlives a call."""

from __future__ import annotations

import pytest

from tests.hw.verify.proofs.lint.code import KERNELS, broken, broken_in_body, in_a_function

BODIES = [
    ("static-state", "static unsigned calls = 0;"),
    ("static-state", "static accum_t sums[4];"),
    ("pointer", "int *p = 0;"),
    ("pointer", "x_T *p = &x;"),
    ("pointer", "g(&x);"),
    ("pointer", "g((unsigned *)x);"),
    ("pointer", "y = (x_T *)x;"),
    ("pointer", "g(static_cast<x_T *>(x));"),
    ("pointer", "y = g<x_T *>(x);"),
    ("pointer", "using p = x_T *;"),
    ("pointer", "int s::*p = 0;"),
    ("pointer", "x = p->y;"),
    ("pointer", "g(nullptr);"),
    ("pointer", "g(this);"),
    ("pointer", "void (*callback)(int) = g;"),
    ("pointer", "void (&callback)(int) = g;"),
    ("pointer", "y = *x;"),
    ("array-size", "x_T row[n];"),
    ("array-size", "const unsigned size = n + 1;\n    x_T row[4][size];"),
    ("array-size", "x_T row[in.read()];"),
    ("array-size", "using row = x_T[n];"),
    ("array-size", "typedef x_T row[n];"),
    ("array-size", "y = g<x_T[n]>(x);"),
    ("array-size", "const unsigned z = 3;\n    {\n        unsigned z = n;\n        x_T row[z];\n    }"),
    ("array-size", "{\n        const unsigned z = 3;\n    }\n    x_T row[z];"),
    ("array-size", "for (unsigned k = 0; k < 4; k++) {\n        x_T row[k];\n    }"),
    ("array-size", "static const unsigned z = get();\n    x_T row[z];"),
]
FILES = [
    ("static-state", "static unsigned calls = 0;"),
    ("static-state", "x_T state[4];"),
    ("static-state", "extern unsigned calls;"),
    ("static-state", "inline unsigned calls = 0;"),
    ("static-state", "namespace {\nunsigned calls;\n}"),
    ("static-state", "struct {\n    unsigned a;\n} calls;"),
    ("pointer", "template <x_T *P> void g();"),
    ("pointer", "void g(int (*rows)[3]);"),
    ("static-state", "template <int N> unsigned calls = N;"),
    ("static-state", "struct s {\n    static unsigned calls;\n};"),
    ("pointer", "void g(const unsigned *data);"),
    ("pointer", "auto g(const x_T &x) -> x_T *;"),
    ("pointer", "typedef void (*callback)(int);"),
    ("pointer", "void g(void callback(int));"),
    ("pointer", "void g(unsigned n) {}\nvoid f() { h(g); }"),
    ("array-size", "void g(const x_T *data, unsigned n, x_T out[n]) {}"),
    ("array-size", "void g(x_T data[]);"),
    ("array-size", "namespace a {\nconst unsigned n = get();\n}\nvoid f() { int row[a::n]; }"),
]


@pytest.mark.parametrize(("rule", "body"), BODIES)
def test_a_declaration_in_a_function(rule: str, body: str) -> None:
    assert rule in broken_in_body(body)


@pytest.mark.parametrize(("rule", "text"), FILES)
def test_a_declaration_in_a_file(rule: str, text: str) -> None:
    assert rule in broken(text)


@pytest.mark.parametrize(
    "body",
    [
        "x_T z[geometry<CONFIG_T>::b][CONFIG_T::a * 2];\n    #pragma HLS ARRAY_PARTITION variable=z complete dim=0",
        "static const unsigned z = 3;\n    x_T w[z];",
        "static unsigned const z = 3;\n    x_T w[z];",
        "constexpr unsigned z{3};\n    x_T w[z];",
        "x_T w[sizeof(x_T)];",
        "enum { A = 3, B = A * 2 };\n    x_T w[B];",
        "static const unsigned t[] = {1, 2, 3};",
        "y = x ? x_T(i) : y;",
        "y = (x) & n;",
    ],
)
def test_what_may_be_declared_in_a_function(body: str) -> None:
    assert broken_in_body(body) == set()


@pytest.mark.parametrize(
    "text",
    [
        "template <class x_T> auto g(const x_T &x) -> x_T { return x; }",
        "void f(x_T (&rows)[4]) {}",
        "namespace a::b {\nconst unsigned n = 3;\n}\nvoid f() { int row[a::b::n]; }",
        "const unsigned a = 3, b = a * 2;\nstruct s {\n    int row[b];\n};",
        "struct s {\n    void f() { g(n); }\n    static const unsigned n = 3;\n    int row[n];\n};",
        "#ifdef A\nconst unsigned n = 3;\n#else\nconst unsigned n = 4;\n#endif\nvoid f() { int row[n]; }",
    ],
)
def test_what_may_be_declared_in_a_file(text: str) -> None:
    assert broken(text) == set()


def test_each_branch_has_its_own_constants() -> None:
    text = "#ifdef A\nconst unsigned n = 3;\n#else\nconst unsigned n = get();\n#endif\nvoid f() { int row[n]; }"
    assert broken(text) == {"array-size"}


@pytest.mark.parametrize("rule_and_body", [pair for pair in BODIES if pair[0] == "array-size"])
def test_faults_are_found_behind_template_code_too(rule_and_body: tuple[str, str]) -> None:
    """The shipped kernels in front of the fault: their scopes must all be closed again."""
    rule, body = rule_and_body
    text = "".join((KERNELS / name).read_text() for name in ("crq_window.h", "crq_mac.h")) + in_a_function(body)
    assert broken(text) == {rule}
